//! A server that runs out of descriptors, in a process of its own: this test program once more, under `ulimit`.

use std::env;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use oakroot_engine::serve::Settings;

use crate::harness::{DEADLINE, ECHO, Running, ask_tcp, ask_udp, echo, framed, query};

/// Tells the other process how many descriptors to leave free.
const FREE: &str = "SERVE_TEST_FREE_DESCRIPTORS";
const ADDRESS: &str = "address=";

#[test]
#[ignore = "the other process of the tests here, not a test"]
fn serve_until_the_input_ends() {
    let Ok(free) = env::var(FREE) else { return };
    let running = Running::start(Settings::default());
    let mut files: Vec<_> = std::iter::from_fn(|| File::open("/dev/null").ok()).collect();
    files.truncate(files.len() - free.parse::<usize>().unwrap());
    println!("\n{ADDRESS}{}", running.address);
    io::copy(&mut io::stdin(), &mut io::sink()).unwrap();
}

struct Limited {
    process: Child,
    address: SocketAddr,
}

impl Limited {
    fn start(free: usize) -> Self {
        let run = "ulimit -n 64 && exec \"$0\" --ignored --exact --nocapture exhaustion::serve_until_the_input_ends";
        let mut command = Command::new("sh");
        command.arg("-c").arg(run).arg(env::current_exe().unwrap()).env(FREE, free.to_string());
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(process.stdout.as_mut().unwrap()).lines();
        let address = lines.map_while(Result::ok).find_map(|line| line.strip_prefix(ADDRESS)?.parse().ok());
        Self { process, address: address.unwrap() }
    }

    fn tcp(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream
    }

    fn ask_udp(&self) -> Vec<u8> {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.connect(self.address).unwrap();
        socket.set_read_timeout(Some(DEADLINE)).unwrap();
        ask_udp(&socket, &query(1, ECHO))
    }

    /// Time the process has run, in ticks of ten milliseconds.
    fn ticks(&self) -> u64 {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.process.id())).unwrap();
        let fields: Vec<_> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
        fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
    }
}

impl Drop for Limited {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

#[test]
fn without_descriptors_the_connection_longest_unused_goes() {
    let server = Limited::start(4);
    let mut streams: Vec<_> = (0..40).map(|_| server.tcp()).collect();
    assert_eq!(ask_tcp(streams.last_mut().unwrap(), &query(1, ECHO)), echo(query(1, ECHO)));
    assert_eq!(server.ask_udp(), echo(query(1, ECHO)));
}

#[test]
fn a_server_that_cannot_accept_at_all_rests() {
    let server = Limited::start(0);
    let mut stream = server.tcp();
    stream.write_all(&framed(&query(1, ECHO))).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
    let before = server.ticks();
    stream.peek(&mut [0]).unwrap_err();
    let used = server.ticks() - before;
    assert!(used < 20, "{used} ticks of a second spent on a connection that cannot be accepted");
    assert_eq!(server.ask_udp(), echo(query(1, ECHO)));
}
