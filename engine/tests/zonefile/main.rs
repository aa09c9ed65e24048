//! The reader of zone text, seen from outside: one module per theme, most of them tables of text and outcome.

mod anything;
mod defaults;
mod directives;
mod errors;
mod generate;
mod hints;
mod include;
mod lexical;
mod places;
mod support;
