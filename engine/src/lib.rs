//! The engine: reads zone text, holds zones, decides answers, moves packets.
//!
//! Pure modules (`name`, `record`, `rdata`, `zonefile`, `zone`, `reread`, `message`, `answer`) know neither sockets nor
//! Python; `serve` is the one room with sockets and threads, and `serve::sys` the one file with `unsafe`, but for
//! `serve::inherited` and `memory`; `responder`
//! joins the two, and `door` is the one border to Python. Nothing here knows of git, keys, policy or ACME.

pub mod answer;
#[cfg(feature = "python")]
mod door;
pub mod memory;
pub mod message;
pub mod name;
pub mod rdata;
pub mod record;
pub mod reread;
pub mod responder;
pub mod serve;
#[cfg(test)]
mod testing;
pub mod transfer;
pub mod zone;
pub mod zonefile;
