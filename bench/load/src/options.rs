//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

pub const USAGE: &str = "\
usage: load --server ADDRESS:PORT --queries FILE [option...]

Asks the queries of FILE over and over and prints what came back as JSON.
Lines of FILE: `NAME TYPE`, or `hex:` and a whole message; `#` and `;` begin a comment.

  --transport udp|tcp|tcp-once   over UDP (default), over connections that stay,
                                 or over a connection for each query
  --seconds S      ask for so long (default 5)
  --count N        ask so many queries instead
  --until-closed   end as soon as standard input is closed, if that comes first
  --window N       most queries outstanding (default 512)
  --sockets N      spread them over so many sockets or connections (default 8)
  --rate N         so many queries a second instead of as many as possible
  --timeout S      count a query as lost after so long (default 1)
  --edns SIZE      add an OPT record that offers this UDP payload size
  --dnssec         set DO (implies --edns 1232 unless given)
  --recursion      set RD
";

/// How queries travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    Udp,
    /// Connections that stay, several queries outstanding on each.
    Tcp,
    /// A connection for each query.
    TcpOnce,
}

/// When to end.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Span {
    Time(Duration),
    Count(u64),
}

#[derive(Clone, Debug)]
pub struct Options {
    pub server: SocketAddr,
    pub queries: PathBuf,
    pub transport: Transport,
    pub span: Span,
    pub until_closed: bool,
    pub window: usize,
    pub sockets: usize,
    pub rate: Option<f64>,
    pub timeout: Duration,
    pub edns: Option<u16>,
    pub dnssec: bool,
    pub recursion: bool,
}

/// Most queries outstanding on one socket: some bits of the 16 of a query's ID tell it from earlier ones.
const MOST_PER_SOCKET: usize = 4096;

impl Options {
    /// Reads the arguments after the program's name.
    pub fn parse(arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let (mut server, mut queries) = (None, None);
        let mut options = Self {
            server: ([0, 0, 0, 0], 0).into(),
            queries: PathBuf::new(),
            transport: Transport::Udp,
            span: Span::Time(Duration::from_secs(5)),
            until_closed: false,
            window: 512,
            sockets: 8,
            rate: None,
            timeout: Duration::from_secs(1),
            edns: None,
            dnssec: false,
            recursion: false,
        };
        let mut arguments = arguments;
        while let Some(name) = arguments.next() {
            if !options.set_flag(&name) {
                let value = arguments.next().ok_or_else(|| format!("{name} needs a value\n\n{USAGE}"))?;
                match name.as_str() {
                    "--server" => server = Some(number(&name, &value)?),
                    "--queries" => queries = Some(PathBuf::from(&value)),
                    _ => options.set(&name, &value)?,
                }
            }
        }
        options.server = server.ok_or(USAGE)?;
        options.queries = queries.ok_or(USAGE)?;
        options.checked()
    }

    fn set_flag(&mut self, name: &str) -> bool {
        match name {
            "--until-closed" => self.until_closed = true,
            "--dnssec" => self.dnssec = true,
            "--recursion" => self.recursion = true,
            _ => return false,
        }
        true
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
        match name {
            "--transport" => {
                self.transport = match value {
                    "udp" => Transport::Udp,
                    "tcp" => Transport::Tcp,
                    "tcp-once" => Transport::TcpOnce,
                    _ => return Err(format!("--transport {value}: neither udp, tcp nor tcp-once")),
                }
            }
            "--seconds" => self.span = Span::Time(seconds(name, value)?),
            "--count" => self.span = Span::Count(number(name, value)?),
            "--window" => self.window = number(name, value)?,
            "--sockets" => self.sockets = number(name, value)?,
            "--rate" => self.rate = Some(number(name, value)?),
            "--timeout" => self.timeout = seconds(name, value)?,
            "--edns" => self.edns = Some(number(name, value)?),
            _ => return Err(format!("{name}: no such option\n\n{USAGE}")),
        }
        Ok(())
    }

    fn checked(mut self) -> Result<Self, String> {
        if self.sockets == 0 || self.window < self.sockets {
            return Err("--window must be at least --sockets, and both at least 1".into());
        }
        if self.per_socket() > MOST_PER_SOCKET {
            return Err(format!("--window: at most {MOST_PER_SOCKET} for each of --sockets"));
        }
        if self.rate.is_some_and(|rate| rate.is_nan() || rate <= 0.0) {
            return Err("--rate must be above 0".into());
        }
        if self.dnssec && self.edns.is_none() {
            self.edns = Some(1232);
        }
        Ok(self)
    }

    /// Most queries outstanding on one socket.
    pub fn per_socket(&self) -> usize {
        self.window / self.sockets
    }
}

fn number<T: std::str::FromStr<Err: std::fmt::Display>>(name: &str, value: &str) -> Result<T, String> {
    value.parse().map_err(|error| format!("{name} {value}: {error}"))
}

fn seconds(name: &str, value: &str) -> Result<Duration, String> {
    Duration::try_from_secs_f64(number(name, value)?).map_err(|error| format!("{name} {value}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Options, String> {
        Options::parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn options_are_read() {
        let options = parse("--server [::1]:53 --queries q --transport tcp --count 7 --dnssec").unwrap();
        assert_eq!((options.transport, options.span), (Transport::Tcp, Span::Count(7)));
        assert_eq!((options.edns, options.dnssec), (Some(1232), true));
    }

    #[test]
    fn faults_are_named() {
        for (line, fault) in [
            ("--queries q", "usage"),
            ("--server 127.0.0.1:53 --queries q --sockets 0", "--sockets"),
            ("--server 127.0.0.1:53 --queries q --window 100000", "--window"),
            ("--server here --queries q", "--server here"),
            ("--server 127.0.0.1:53 --queries q --fast yes", "--fast"),
            ("--server 127.0.0.1:53 --queries q --rate", "--rate needs"),
        ] {
            assert!(parse(line).unwrap_err().contains(fault), "{line}");
        }
    }
}
