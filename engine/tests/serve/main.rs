//! The serving threads over loopback, with a toy that answers by order of its clients.

mod exhaustion;
mod handover;
mod harness;
mod lifecycle;
mod limits;
mod takeover;
mod tap;
mod tcp;
mod udp;
