//! A load generator for name servers: `load --help` tells how to use it.
//!
//! One thread with many queries outstanding, in batches over UDP: it must be able to ask more than a server on the next
//! core can answer. It measures no server's CPU time; whoever starts it does that from outside.

mod options;
mod pace;
mod queries;
mod report;
mod sys;
mod tcp;
mod udp;
mod window;

use std::process::ExitCode;

use options::{Options, Transport, USAGE};
use pace::Pace;
use queries::Queries;
use report::Report;

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    if arguments.iter().any(|argument| argument == "--help") {
        print!("{USAGE}");
        return ExitCode::SUCCESS;
    }
    match run(arguments) {
        Ok(json) => {
            println!("{json}");
            ExitCode::SUCCESS
        }
        Err(fault) => {
            eprintln!("load: {fault}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Vec<String>) -> Result<String, String> {
    let options = Options::parse(arguments.into_iter())?;
    let mut queries = Queries::load(&options)?;
    let (mut report, pace) = (Report::new(), Pace::new(&options));
    match options.transport {
        Transport::Udp => udp::run(&options, &mut queries, &pace, &mut report)
            .map_err(|error| format!("{}: {error}", options.server))?,
        Transport::Tcp | Transport::TcpOnce => tcp::run(&options, &mut queries, &pace, &mut report),
    }
    Ok(report.to_json(pace.elapsed()))
}
