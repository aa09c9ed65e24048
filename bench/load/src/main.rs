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

#[cfg(test)]
mod tests {
    //! Whole runs against a server in a thread that says back what it is asked.

    use std::io::{Read, Write};
    use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
    use std::path::PathBuf;
    use std::thread;

    use super::*;

    fn run_against(server: SocketAddr, test: &str, extra: &str) -> String {
        let file = std::env::temp_dir().join(format!("load-{test}-{}", std::process::id()));
        std::fs::write(&file, "www.example.org A\n; no query\nexample.org MX\n").unwrap();
        let line = format!("--server {server} --count 1000 --window 64 --sockets 4 {extra} --queries");
        let mut arguments: Vec<_> = line.split_whitespace().map(str::to_owned).collect();
        arguments.push(PathBuf::from(&file).display().to_string());
        let json = run(arguments).unwrap();
        std::fs::remove_file(file).unwrap();
        json
    }

    fn echo_over_tcp() -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            for stream in listener.incoming() {
                thread::spawn(move || echo_stream(&mut stream.unwrap()));
            }
        });
        address
    }

    fn echo_stream(stream: &mut TcpStream) {
        let mut room = [0; 4096];
        while let Ok(count @ 1..) = stream.read(&mut room) {
            if stream.write_all(&room[..count]).is_err() {
                return;
            }
        }
    }

    #[test]
    fn every_query_over_udp_is_counted() {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = socket.local_addr().unwrap();
        thread::spawn(move || {
            let mut room = [0; 4096];
            while let Ok((count, peer)) = socket.recv_from(&mut room) {
                socket.send_to(&room[..count], peer).unwrap();
            }
        });
        let json = run_against(address, "udp", "--timeout 30");
        assert!(json.contains("\"sent\": 1000, \"received\": 1000, \"lost\": 0, \"unexpected\": 0"), "{json}");
        assert!(json.contains("\"NOERROR\": 1000"), "{json}");
    }

    #[test]
    fn silence_is_counted_as_loss() {
        let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
        let json = run_against(silent.local_addr().unwrap(), "silence", "--count 20 --timeout 0.05");
        assert!(json.contains("\"sent\": 20, \"received\": 0, \"lost\": 20"), "{json}");
    }

    #[test]
    fn every_query_over_tcp_is_counted() {
        for transport in ["tcp", "tcp-once"] {
            let extra = format!("--transport {transport} --timeout 30");
            let json = run_against(echo_over_tcp(), transport, &extra);
            assert!(json.contains("\"sent\": 1000, \"received\": 1000, \"lost\": 0, \"unexpected\": 0"), "{json}");
        }
    }
}
