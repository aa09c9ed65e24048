//! The serving room for Python: sockets and threads, and the requests that Python decides.

use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsFd, AsRawFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pyo3::exceptions::{PyOSError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use super::catalogue::Catalogue;
use super::tap::Exchange;
use crate::answer::respond::{self, Identity};
use crate::message::cookie::CookieSecrets;
use crate::responder::{CatalogueResponder, Publication};
use crate::serve::{self, Handover, Tls, Transport};

/// A packet the engine does not decide.
#[pyclass(frozen, module = "oakroot._engine")]
pub(super) struct Request(serve::Request);

#[pymethods]
impl Request {
    #[getter]
    fn wire<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, self.0.wire())
    }

    #[getter]
    fn transport(&self) -> &'static str {
        word(self.0.transport())
    }

    #[getter]
    fn peer(&self) -> (String, u16) {
        text(self.0.peer())
    }

    #[getter]
    fn local(&self) -> (String, u16) {
        text(self.0.local())
    }

    #[classattr]
    const HIGH_BACKLOG: usize = serve::Request::HIGH_BACKLOG;

    fn unsent(&self) -> usize {
        self.0.unsent()
    }

    fn has_ended(&self) -> bool {
        self.0.has_ended()
    }

    fn is_gone(&self) -> bool {
        self.0.is_gone()
    }
}

#[pyfunction]
pub(super) fn cookie_secret(py: Python<'_>) -> Bound<'_, PyBytes> {
    PyBytes::new(py, &CookieSecrets::of_process().root())
}

#[pyfunction]
pub(super) fn adopt_cookie_secret(secret: &[u8]) -> PyResult<()> {
    let root = secret.try_into().map_err(|_| PyValueError::new_err("the secret has not 16 octets"))?;
    if CookieSecrets::adopt(root) { Ok(()) } else { Err(PyValueError::new_err("this process has a secret already")) }
}

pub(super) fn word(transport: Transport) -> &'static str {
    match transport {
        Transport::Udp => "udp",
        Transport::Tcp => "tcp",
        Transport::Tls => "tls",
    }
}

fn text(address: SocketAddr) -> (String, u16) {
    (address.ip().to_string(), address.port())
}

/// Sockets and serving threads.
#[pyclass(frozen, module = "oakroot._engine")]
pub(super) struct Server {
    sockets: Mutex<serve::Server>,
    handover: Arc<Handover>,
    tls: Arc<Tls>,
    publication: Arc<Publication>,
    settings: respond::Settings,
}

#[pymethods]
impl Server {
    #[new]
    #[pyo3(signature = (
        listen, *, listen_tls = None, inherited = None, workers = 1, tcp_connections = 1000, tcp_idle_seconds = 10.0,
        tcp_reply_seconds = 60.0, handover_queue = 1024, rate_limit = 0, udp_payload = 1232, identity = None, version = None,
    ))]
    #[allow(clippy::too_many_arguments, reason = "keyword arguments of Python")]
    fn new(
        listen: Vec<(String, u16)>,
        listen_tls: Option<Vec<(String, u16)>>,
        inherited: Option<Vec<i32>>,
        workers: usize,
        tcp_connections: usize,
        tcp_idle_seconds: f64,
        tcp_reply_seconds: f64,
        handover_queue: usize,
        rate_limit: u32,
        udp_payload: u16,
        identity: Option<&str>,
        version: Option<&str>,
    ) -> PyResult<Self> {
        let (listen, listen_tls) = (addresses(&listen)?, addresses(&listen_tls.unwrap_or_default())?);
        let serving = serve::Settings {
            workers,
            tcp_connections,
            tcp_idle: span(tcp_idle_seconds, "tcp_idle_seconds")?,
            tcp_reply: span(tcp_reply_seconds, "tcp_reply_seconds")?,
            handover_queue,
            rate_limit,
            udp_payload: usize::from(udp_payload),
            ..serve::Settings::default()
        };
        let settings = answering(&serving, udp_payload, identity, version);
        let inherited = inherited.unwrap_or_default();
        let server = serve::Server::take_over(&listen, &listen_tls, &inherited, serving).map_err(refused)?;
        Ok(Self {
            tls: server.tls().clone(),
            handover: server.handover().clone(),
            sockets: Mutex::new(server),
            publication: Arc::default(),
            settings,
        })
    }

    #[getter]
    fn addresses(&self) -> Vec<(String, u16)> {
        self.server().addresses().iter().copied().map(text).collect()
    }

    #[getter]
    fn tls_addresses(&self) -> Vec<(String, u16)> {
        self.server().tls_addresses().iter().copied().map(text).collect()
    }

    fn share(&self) -> Vec<(&'static str, (String, u16), i32)> {
        let mut server = self.server();
        server.share().iter().map(|each| (word(each.transport), text(each.address), each.number())).collect()
    }

    fn retire(&self) {
        self.server().retire();
    }

    fn connections(&self) -> usize {
        self.server().connections()
    }

    fn set_certificate(&self, chain: &[u8], key: &[u8]) -> PyResult<()> {
        self.tls.set_certificate(chain, key).map_err(|error| PyValueError::new_err(error.to_string()))
    }

    fn publish(&self, catalogue: &Catalogue) {
        self.publication.publish(catalogue.0.clone());
    }

    fn start(&self) -> PyResult<()> {
        let (publication, settings) = (self.publication.clone(), self.settings.clone());
        self.server().start(move || CatalogueResponder::new(publication.clone(), settings.clone())).map_err(refused)
    }

    fn handover_fd(&self) -> i32 {
        self.handover.as_fd().as_raw_fd()
    }

    #[pyo3(signature = (limit = 64))]
    fn take(&self, limit: usize) -> Vec<Request> {
        self.handover.take(limit).into_iter().map(Request).collect()
    }

    fn take_ends(&self) -> bool {
        self.handover.take_ends()
    }

    fn reply(&self, py: Python<'_>, request: &Request, wire: &[u8]) -> PyResult<()> {
        py.detach(|| self.handover.reply(&request.0, wire)).map_err(|error| PyValueError::new_err(error.to_string()))
    }

    fn listen_in(&self, every: u32) {
        self.handover.taps().listen(every);
    }

    #[pyo3(signature = (limit = 256))]
    fn take_exchanges(&self, py: Python<'_>, limit: usize) -> Vec<Exchange> {
        py.detach(|| self.handover.taps().take(limit)).into_iter().map(Exchange).collect()
    }

    fn counters<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let counters = PyDict::new(py);
        for (name, value) in self.server().counters() {
            counters.set_item(name, value)?;
        }
        Ok(counters)
    }

    fn stop(&self, py: Python<'_>) {
        py.detach(|| self.server().stop());
    }
}

impl Server {
    fn server(&self) -> MutexGuard<'_, serve::Server> {
        self.sockets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn answering(
    serving: &serve::Settings,
    udp_payload: u16,
    identity: Option<&str>,
    version: Option<&str>,
) -> respond::Settings {
    let told = |text: &str| text.as_bytes().into();
    respond::Settings {
        udp_payload,
        keepalive: u16::try_from(serving.tcp_idle.as_millis() / 100).unwrap_or(u16::MAX),
        identity: Identity { identity: identity.map(told), version: version.map(told) },
        secrets: CookieSecrets::of_process(),
    }
}

fn span(seconds: f64, name: &str) -> PyResult<Duration> {
    Duration::try_from_secs_f64(seconds).map_err(|_| PyValueError::new_err(format!("{name} is not a span of time")))
}

fn addresses(places: &[(String, u16)]) -> PyResult<Vec<SocketAddr>> {
    places.iter().map(address).collect()
}

fn address((host, port): &(String, u16)) -> PyResult<SocketAddr> {
    let ip: IpAddr = host.parse().map_err(|_| PyValueError::new_err(format!("{host:?} is not an IP address")))?;
    Ok(SocketAddr::new(ip, *port))
}

/// With arguments that make Python choose the right kind of `OSError`, if the system gave a number.
#[allow(clippy::needless_pass_by_value, reason = "the shape that map_err wants")]
fn refused(error: std::io::Error) -> PyErr {
    PyOSError::new_err((error.raw_os_error(), error.to_string()))
}
