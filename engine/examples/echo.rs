//! The serving threads with a responder that says back what it was asked: what `serve` itself costs, to be held against
//! `bench/floor`. `echo ADDRESS:PORT [WORKERS]`.

use std::error::Error;
use std::thread;

use oakroot_engine::serve::{Endpoint, Labels, Responder, ResponseClass, Server, Settings, Transport, Verdict};

struct Echo;

impl Responder for Echo {
    fn refresh(&mut self) {}

    fn respond(&mut self, query: &[u8], _: Transport, _: &Endpoint, room: &mut [u8]) -> Verdict {
        if query.len() < 12 || query.len() > room.len() {
            return Verdict::Silence;
        }
        room[..query.len()].copy_from_slice(query);
        room[2] |= 0x80;
        Verdict::Answer {
            length: query.len(),
            class: ResponseClass { kind: 0, key: 0 },
            exempt: false,
            labels: Labels::default(),
        }
    }

    fn truncate(&mut self, query: &[u8], room: &mut [u8]) -> usize {
        room[..12].copy_from_slice(&query[..12]);
        room[2] |= 0x82;
        12
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().ok_or("usage: echo ADDRESS:PORT [WORKERS]")?.parse()?;
    let workers = arguments.next().map_or(Ok(1), |text| text.parse())?;
    let mut server = Server::bind(
        &[address],
        &[],
        Settings { workers, tcp_connections: 10_000, tcp_connections_per_source: 10_000, ..Settings::default() },
    )?;
    println!("{}", server.addresses()[0]);
    server.start(|| Echo)?;
    loop {
        thread::park();
    }
}
