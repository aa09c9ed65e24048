//! RDATA of every record type: text and wire form, from one table of fields.
//!
//! A record type is a row of fields; the code below works on fields, never on types (save the few whose form no
//! field can express). Names inside RDATA are always uncompressed here.
