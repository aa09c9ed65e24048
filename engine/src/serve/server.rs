//! The server as its user sees it: bind, start, stop, counters, hand-over.

use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{Builder, JoinHandle};

use super::bind::{self, Sockets};
use super::counters::{self, Cells, Counter, Tally};
use super::handover::Handover;
use super::inherited::Inherited;
use super::sleepers::Sleepers;
use super::tcp::Listener;
use super::tcp::mailbox::Mailbox;
use super::{Responder, Settings, Tls, Transport, sys, tcp, udp};

/// Sockets and serving threads. Dropping it stops them.
#[derive(Debug)]
pub struct Server {
    addresses: Vec<SocketAddr>,
    tls_addresses: Vec<SocketAddr>,
    settings: Settings,
    /// All of them, until the server is stopped.
    sockets: Vec<Socket>,
    /// Whether other processes have, or may have, the same sockets.
    is_shared: bool,
    tls: Arc<Tls>,
    handover: Arc<Handover>,
    running: Running,
    cells: Vec<Arc<Cells>>,
}

/// A socket queries come to.
#[derive(Debug)]
pub struct Socket {
    /// What it is for.
    pub transport: Transport,
    /// What it is bound to.
    pub address: SocketAddr,
    descriptor: Arc<OwnedFd>,
}

impl Socket {
    /// Its descriptor, which is good as long as the server is not stopped.
    #[must_use]
    pub fn number(&self) -> RawFd {
        self.descriptor.as_raw_fd()
    }
}

/// The threads, and what makes them stop.
#[derive(Debug, Default)]
struct Running {
    stop: Arc<AtomicBool>,
    /// Nothing new is to be received: somebody else has the sockets.
    retire: Arc<AtomicBool>,
    has_started: bool,
    connections: Vec<Arc<AtomicUsize>>,
    mailboxes: Vec<Arc<Mailbox>>,
    udp_threads: Sleepers,
    tcp_threads: Vec<JoinHandle<()>>,
}

impl Server {
    /// Binds UDP and TCP on every address of `listen`, and TLS on every one of `listen_tls`.
    ///
    /// # Errors
    /// What the system says, with the address that cannot be bound; `AddrInUse` also when another process serves there.
    pub fn bind(listen: &[SocketAddr], listen_tls: &[SocketAddr], settings: Settings) -> io::Result<Self> {
        Self::take_over(listen, listen_tls, &[], settings)
    }

    /// The same with sockets among these descriptors, where they are bound to the addresses asked for. The server has
    /// descriptors of its own for them.
    ///
    /// # Errors
    /// As [`Self::bind`], and `InvalidInput` if one of them is no socket to serve DNS by.
    pub fn take_over(
        listen: &[SocketAddr],
        listen_tls: &[SocketAddr],
        inherited: &[RawFd],
        settings: Settings,
    ) -> io::Result<Self> {
        let workers = settings.workers.max(1);
        let mut pool = Inherited::adopt(inherited)?;
        let (mut sockets, mut addresses, mut tls_addresses) = (Vec::new(), Vec::new(), Vec::new());
        // TLS first: where both are asked for at one address, it is the port of TLS.
        for &address in listen_tls {
            let (address, listeners) = bind::bind_tls(address, workers, &mut pool)?;
            tls_addresses.push(address);
            sockets.extend(Socket::all(Transport::Tls, address, listeners));
        }
        for &address in listen {
            let Sockets { address, udp, tcp } = bind::bind(address, workers, &mut pool)?;
            addresses.push(address);
            sockets.extend(Socket::all(Transport::Udp, address, udp));
            sockets.extend(Socket::all(Transport::Tcp, address, tcp));
        }
        Ok(Self {
            addresses,
            tls_addresses,
            handover: Arc::new(Handover::new(settings.handover_queue)?),
            settings,
            sockets,
            is_shared: !inherited.is_empty(),
            tls: Arc::default(),
            running: Running::default(),
            cells: Vec::new(),
        })
    }

    /// What is bound for UDP and TCP, ports filled in, in the order asked for.
    #[must_use]
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// What is bound for TLS, ports filled in, in the order asked for.
    #[must_use]
    pub fn tls_addresses(&self) -> &[SocketAddr] {
        &self.tls_addresses
    }

    /// Where the certificate for TLS is set, at any time.
    #[must_use]
    pub fn tls(&self) -> &Arc<Tls> {
        &self.tls
    }

    /// The queue of requests that the responders hand over. It outlives the server.
    #[must_use]
    pub fn handover(&self) -> &Arc<Handover> {
        &self.handover
    }

    /// Starts the serving threads, each with a responder of its own. A server starts once: later calls do nothing.
    ///
    /// # Errors
    /// What the system says if it has no room for the threads; none is left running then.
    pub fn start<R, F>(&mut self, make_responder: F) -> io::Result<()>
    where
        R: Responder,
        F: Fn() -> R + Send + Sync + 'static,
    {
        let started = self.start_threads(&Arc::new(make_responder));
        if started.is_err() {
            self.stop();
        }
        started
    }

    fn start_threads<R, F>(&mut self, make_responder: &Arc<F>) -> io::Result<()>
    where
        R: Responder,
        F: Fn() -> R + Send + Sync + 'static,
    {
        // A server that was stopped has no sockets, and starts no threads.
        if std::mem::replace(&mut self.running.has_started, true) || self.sockets.is_empty() {
            return Ok(());
        }
        let workers = self.settings.workers.max(1);
        let mut listeners: Vec<Vec<Listener>> = (0..workers).map(|_| Vec::new()).collect();
        let (mut udp, mut tcp) = (Vec::new(), 0);
        for Socket { transport, address, descriptor } in &self.sockets {
            let socket = Arc::clone(descriptor);
            let tls = match transport {
                Transport::Udp => {
                    udp.push((*address, socket));
                    continue;
                }
                Transport::Tcp => None,
                Transport::Tls => Some(Arc::clone(&self.tls)),
            };
            // There are as many for each address as workers, or more where more were inherited.
            listeners[tcp % workers].push(Listener { socket, tls });
            tcp += 1;
        }
        self.running.udp_threads.keep_awake(Arc::clone(&self.running.retire))?;
        for (number, (address, socket)) in udp.into_iter().enumerate() {
            self.start_udp(number, socket, address, Arc::clone(make_responder))?;
        }
        for (worker, listeners) in listeners.into_iter().enumerate() {
            self.start_tcp(worker, listeners, Arc::clone(make_responder))?;
        }
        Ok(())
    }

    fn start_udp<R, F>(
        &mut self,
        number: usize,
        socket: Arc<OwnedFd>,
        address: SocketAddr,
        make: Arc<F>,
    ) -> io::Result<()>
    where
        R: Responder,
        F: Fn() -> R + Send + Sync + 'static,
    {
        let (settings, tally) = (self.settings.clone(), self.new_tally());
        let handover = Arc::clone(&self.handover);
        let ending = udp::Ending { stop: Arc::clone(&self.running.stop), retire: Arc::clone(&self.running.retire) };
        let thread = spawn(format!("oakroot-udp-{number}"), move || {
            // Made here and not before, so that its memory is close to the core that uses it.
            udp::Worker::new(socket, address, &settings, tally, handover, ending).run(&*make);
        })?;
        self.running.udp_threads.add(thread);
        Ok(())
    }

    fn start_tcp<R, F>(&mut self, worker: usize, listeners: Vec<Listener>, make: Arc<F>) -> io::Result<()>
    where
        R: Responder,
        F: Fn() -> R + Send + Sync + 'static,
    {
        let mailbox = Arc::new(Mailbox::new()?);
        let open = Arc::new(AtomicUsize::new(0));
        let shared = tcp::Surroundings {
            tally: self.new_tally(),
            handover: Arc::clone(&self.handover),
            mailbox: Arc::clone(&mailbox),
            stop: Arc::clone(&self.running.stop),
            retire: Arc::clone(&self.running.retire),
            open: Arc::clone(&open),
        };
        let worker_state = tcp::Worker::new(listeners, &self.settings, shared)?;
        self.running.mailboxes.push(mailbox);
        self.running.connections.push(open);
        let thread = spawn(format!("oakroot-tcp-{worker}"), move || worker_state.run(&*make))?;
        self.running.tcp_threads.push(thread);
        Ok(())
    }

    fn new_tally(&mut self) -> Tally {
        let (tally, cells) = Tally::new();
        self.cells.push(cells);
        tally
    }

    /// What was counted so far, by name: see [`super::Counter::TABLE`].
    #[must_use]
    pub fn counters(&self) -> Vec<(String, u64)> {
        let mut totals = counters::totals(&self.cells.iter().map(|cells| &**cells));
        // Replies are sent by whoever took the request, who has no cells.
        totals[Counter::UdpSendErrors as usize].1 += self.handover.send_errors();
        let (tapped, lost) = self.handover.taps().counts();
        totals.extend([("tapped".to_owned(), tapped), ("tap_dropped".to_owned(), lost)]);
        totals
    }

    /// The sockets, for another process to take over. They count as shared from now on.
    pub fn share(&mut self) -> &[Socket] {
        self.is_shared = true;
        &self.sockets
    }

    /// Receives nothing more, because another process has the same sockets: what waits in them is for it. What was
    /// received is answered; connections go on until their peers close them or are idle for [`Settings::tcp_idle`], at
    /// most [`tcp::LAST_IDLE`].
    pub fn retire(&self) {
        self.running.retire();
    }

    /// Connections that are open.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.running.connections.iter().map(|open| open.load(Ordering::Relaxed)).sum()
    }

    /// Ends the threads and closes the sockets and connections. Answers being written are lost, but for those over UDP
    /// where the sockets are shared; requests that were handed over can still be taken, but replies to them go nowhere.
    pub fn stop(&mut self) {
        self.sockets.clear();
        std::mem::take(&mut self.running).end(self.is_shared);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Socket {
    fn all(transport: Transport, address: SocketAddr, sockets: Vec<OwnedFd>) -> impl Iterator<Item = Self> {
        sockets.into_iter().map(move |socket| Self { transport, address, descriptor: Arc::new(socket) })
    }
}

/// Starts a thread that signals leave alone.
pub(super) fn spawn(name: String, body: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
    Builder::new().name(name).spawn(move || {
        sys::block_signals();
        body();
    })
}

impl Running {
    fn retire(&self) {
        self.retire.store(true, Ordering::Release);
        for mailbox in &self.mailboxes {
            mailbox.wake();
        }
        self.udp_threads.hurry();
    }

    /// Ends the threads. Where sockets are `shared`, what was received by UDP is answered first.
    fn end(self, shared: bool) {
        self.stop.store(!shared, Ordering::Release);
        self.retire();
        self.udp_threads.join();
        self.stop.store(true, Ordering::Release);
        for mailbox in &self.mailboxes {
            mailbox.wake();
        }
        for thread in self.tcp_threads {
            drop(thread.join());
        }
    }
}
