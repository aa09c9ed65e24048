"""Metrics of zones, git, keys, secondaries and certificates, out of the overview.."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping

from oakroot.operate.overview import Attempt, Git, Histogram, Overview
from oakroot.operate.samples import Metric, Read, Sample, Scene

_SHORT = 12
"""How much of a commit's name is a label."""


def _of_git(read: Callable[[Git], float | None]) -> Read:
    def samples(scene: Scene) -> Iterator[Sample]:
        git = scene.overview.git
        value = None if git is None else read(git)
        if value is not None:
            yield Sample(value)

    return samples


def _ended(read: Callable[[Git], Attempt | None], part: Callable[[Attempt], float]) -> Read:
    def value(git: Git) -> float | None:
        attempt = read(git)
        return None if attempt is None else part(attempt)

    return _of_git(value)


def _is_good(attempt: Attempt) -> float:
    return float(attempt.outcome in {"ok", "unchanged"})


def _mapping(read: Callable[[Overview], Mapping[str, int]]) -> Read:
    return lambda scene: [Sample(count, (name,)) for name, count in sorted(read(scene.overview).items())]


def _head(scene: Scene) -> Iterator[Sample]:
    git = scene.overview.git
    if git is not None and git.commit is not None:
        yield Sample(1, (git.commit[:_SHORT], git.branch or ""))


def _tsig_failures(scene: Scene) -> Iterator[Sample]:
    for key in scene.overview.keys:
        for error, count in sorted(key.failures.items()):
            yield Sample(count, (key.name, error))


def _latency(scene: Scene) -> tuple[Histogram, ...]:
    updates = scene.overview.updates
    return () if updates is None else (updates.latency,)


def _updates(overview: Overview) -> Mapping[str, int]:
    return {} if overview.updates is None else overview.updates.answers


def _pulls(overview: Overview) -> Mapping[str, int]:
    return {} if overview.git is None else overview.git.pulls


def _pushes(overview: Overview) -> Mapping[str, int]:
    return {} if overview.git is None else overview.git.pushes


def _expiries(scene: Scene) -> Iterator[Sample]:
    for host in scene.overview.certificates:
        if host.not_after is not None:
            yield Sample(host.not_after, (host.host,))


def _renewals(scene: Scene) -> Iterator[Sample]:
    for host in scene.overview.certificates:
        if host.renewal is not None:
            yield Sample(host.renewal, (host.host,))


def _certificates(scene: Scene) -> Iterator[Sample]:
    if scene.overview.role == "certifier":
        counts = Counter(host.state for host in scene.overview.certificates)
        for state in ("valid", "missing", "working", "waiting", "refused"):
            yield Sample(counts[state], (state,))


def _own_certificate(scene: Scene) -> Iterator[Sample]:
    if scene.overview.tls_not_after is not None:
        yield Sample(scene.overview.tls_not_after)


def _process(scene: Scene) -> Iterator[Sample]:
    yield Sample(1, (scene.overview.version, scene.overview.role))


GENERAL = (
    Metric("build_info", "gauge", "Always 1; the labels tell what runs.", _process, ("version", "role")),
    Metric(
        "start_time_seconds",
        "gauge",
        "When the role began, in seconds since 1970.",
        lambda scene: (Sample(scene.overview.started),),
    ),
    Metric(
        "ready",
        "gauge",
        "1 once there are zones to answer from, as /readyz says.",
        lambda scene: (Sample(float(not scene.overview.obstacles)),),
    ),
    Metric(
        "queue_length",
        "gauge",
        "What waits or is under way, by queue.",
        lambda scene: [Sample(queue.length, (queue.name,)) for queue in scene.overview.queues],
        ("queue",),
    ),
    Metric(
        "queue_limit",
        "gauge",
        "How much may wait, where that has a limit.",
        lambda scene: [
            Sample(queue.limit, (queue.name,)) for queue in scene.overview.queues if queue.limit is not None
        ],
        ("queue",),
    ),
    Metric(
        "events_total",
        "counter",
        "What else the role and its logs count, such as certificates, and lines that were suppressed.",
        lambda scene: [
            Sample(count, (name,))
            for name, count in sorted({**scene.overview.events, **scene.events}.items())
        ],
        ("event",),
    ),
)

GIT = (
    Metric(
        "git_head_info", "gauge", "Always 1; the labels tell what is loaded.", _head, ("commit", "branch")
    ),
    Metric(
        "git_head_timestamp_seconds",
        "gauge",
        "When the commit was made that is loaded.",
        _of_git(lambda git: git.committed),
    ),
    Metric(
        "git_pulls_total",
        "counter",
        "Pulls by result: ok, unchanged, failed.",
        _mapping(_pulls),
        ("result",),
    ),
    Metric(
        "git_pushes_total",
        "counter",
        "Pushes by result: ok, overtaken (somebody was faster), refused, failed.",
        _mapping(_pushes),
        ("result",),
    ),
    Metric(
        "git_last_pull_timestamp_seconds",
        "gauge",
        "When the last pull ended, whatever its result.",
        _ended(lambda git: git.last_pull, lambda attempt: attempt.ended),
    ),
    Metric(
        "git_last_pull_success",
        "gauge",
        "1 if the last pull succeeded, 0 if not.",
        _ended(lambda git: git.last_pull, _is_good),
    ),
    Metric(
        "git_last_pull_duration_seconds",
        "gauge",
        "How long the last pull took, loading included.",
        _ended(lambda git: git.last_pull, lambda attempt: attempt.seconds),
    ),
    Metric(
        "git_last_successful_pull_timestamp_seconds",
        "gauge",
        "When the last pull that succeeded ended.",
        _of_git(lambda git: git.last_good_pull),
    ),
    Metric(
        "git_last_push_timestamp_seconds",
        "gauge",
        "When the last push ended, whatever its result.",
        _ended(lambda git: git.last_push, lambda attempt: attempt.ended),
    ),
    Metric(
        "git_last_push_success",
        "gauge",
        "1 if the last push succeeded, 0 if not.",
        _ended(lambda git: git.last_push, _is_good),
    ),
    Metric(
        "git_last_push_duration_seconds",
        "gauge",
        "How long the last push took, judging its updates included.",
        _ended(lambda git: git.last_push, lambda attempt: attempt.seconds),
    ),
    Metric(
        "git_unpushed_serials",
        "gauge",
        "Serials that were raised and are not in the repository.",
        _of_git(lambda git: git.unpushed),
    ),
)

KEYS = (
    Metric(
        "tsig_requests_total",
        "counter",
        "Requests with a good signature, by key.",
        lambda scene: [Sample(key.uses, (key.name,)) for key in scene.overview.keys],
        ("key",),
    ),
    Metric(
        "tsig_failures_total",
        "counter",
        "Requests under the name of a known key whose signature was refused, by TSIG error.",
        _tsig_failures,
        ("key", "error"),
    ),
    Metric(
        "tsig_unknown_key_total",
        "counter",
        "Requests signed by keys that are not known here.",
        lambda scene: (Sample(scene.overview.unknown_keys),),
    ),
    Metric(
        "tsig_last_use_timestamp_seconds",
        "gauge",
        "When the key was last used.",
        lambda scene: [
            Sample(key.last_use, (key.name,)) for key in scene.overview.keys if key.last_use is not None
        ],
        ("key",),
    ),
    Metric(
        "updates_total",
        "counter",
        "Updates answered, by response code.",
        _mapping(_updates),
        ("rcode",),
    ),
    Metric(
        "update_duration_seconds",
        "histogram",
        "From the arrival of an update to its answer, for those that had to wait for git.",
        _latency,
    ),
)

COPIES = (
    Metric(
        "secondary_zones",
        "gauge",
        "Zones that a secondary has copied; secondaries are known by the address in a key's name or in "
        "--notify, others by the key they sign with.",
        lambda scene: [Sample(len(each.copies), (each.name,)) for each in scene.overview.secondaries],
        ("secondary",),
    ),
    Metric(
        "secondary_zones_behind",
        "gauge",
        "Zones of which the version that a secondary took last is not the one served.",
        lambda scene: [Sample(each.zones_behind, (each.name,)) for each in scene.overview.secondaries],
        ("secondary",),
    ),
    Metric(
        "secondary_last_transfer_timestamp_seconds",
        "gauge",
        "When a secondary last took a version, or was told that it has the newest.",
        lambda scene: [
            Sample(each.last_copy, (each.name,))
            for each in scene.overview.secondaries
            if each.last_copy is not None
        ],
        ("secondary",),
    ),
    Metric(
        "secondary_notifies_waiting",
        "gauge",
        "NOTIFYs that a secondary has not acknowledged yet.",
        lambda scene: [Sample(each.unacknowledged, (each.name,)) for each in scene.overview.secondaries],
        ("secondary",),
    ),
    Metric(
        "primary_connected",
        "gauge",
        "1 while there is a connection to the primary (secondaries).",
        lambda scene: [
            Sample(float(each.is_connected), (each.address,)) for each in scene.overview.primaries
        ],
        ("primary",),
    ),
)

CERTIFICATES = (
    Metric(
        "certificates",
        "gauge",
        "Hosts that asked for a certificate, by state: valid, missing, working, waiting, refused.",
        _certificates,
        ("state",),
    ),
    Metric(
        "certificate_expiry_timestamp_seconds",
        "gauge",
        "Until when the published certificate of a host is valid.",
        _expiries,
        ("host",),
    ),
    Metric(
        "certificate_renewal_timestamp_seconds",
        "gauge",
        "From when on the published certificate of a host is to be renewed: by its lifetime, or as its "
        "authority says. What is left to the expiry is the margin for things that go wrong.",
        _renewals,
        ("host",),
    ),
    Metric(
        "tls_certificate_expiry_timestamp_seconds",
        "gauge",
        "Until when the certificate is valid that this server shows over TLS.",
        _own_certificate,
    ),
)

TABLE: tuple[Metric, ...] = (*GENERAL, *GIT, *KEYS, *COPIES, *CERTIFICATES)
