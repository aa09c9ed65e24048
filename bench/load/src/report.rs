//! What came back: counts, rcodes, and how long it took.

use std::fmt::Write;
use std::time::Duration;

/// Latencies in buckets: each power of two of nanoseconds in 32 parts, so a percentile is off by 3 % at most.
struct Histogram {
    buckets: Vec<u64>,
    longest: u64,
    sum: u128,
}

const PARTS_BITS: u32 = 5;
const PARTS: u64 = 1 << PARTS_BITS;

/// The bucket of a latency.
#[allow(clippy::cast_possible_truncation, reason = "there are fewer than 2000 buckets")]
fn bucket(nanoseconds: u64) -> usize {
    if nanoseconds < PARTS {
        return nanoseconds as usize;
    }
    let shift = nanoseconds.ilog2() - PARTS_BITS;
    ((u64::from(shift) + 1) * PARTS + (nanoseconds >> shift) - PARTS) as usize
}

/// The least latency of a bucket.
fn bucket_start(bucket: u64) -> u64 {
    let (row, part) = (bucket / PARTS, bucket % PARTS);
    if row == 0 { part } else { (PARTS + part) << (row - 1) }
}

impl Histogram {
    fn new() -> Self {
        Self { buckets: vec![0; bucket(u64::MAX) + 1], longest: 0, sum: 0 }
    }

    fn add(&mut self, nanoseconds: u64) {
        self.buckets[bucket(nanoseconds)] += 1;
        self.longest = self.longest.max(nanoseconds);
        self.sum += u128::from(nanoseconds);
    }

    /// The latency, in nanoseconds, that this share of all does not exceed.
    #[allow(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    fn percentile(&self, share: f64) -> u64 {
        let total: u64 = self.buckets.iter().sum();
        let mut seen = 0;
        for (bucket, count) in (0..).zip(&self.buckets) {
            seen += count;
            if seen as f64 >= total as f64 * share {
                return bucket_start(bucket).min(self.longest);
            }
        }
        self.longest
    }
}

/// See the head of the file.
pub struct Report {
    pub sent: u64,
    pub received: u64,
    /// Queries that got no answer in time.
    pub lost: u64,
    /// Messages that answer no query outstanding: late, doubled or wrong.
    pub unexpected: u64,
    /// Datagrams and connections that the system did not take.
    pub failed: u64,
    pub truncated: u64,
    pub octets: u64,
    rcodes: [u64; 16],
    latencies: Histogram,
}

const RCODES: [&str; 11] = [
    "NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED", "YXDOMAIN", "YXRRSET", "NXRRSET", "NOTAUTH",
    "NOTZONE",
];

impl Report {
    pub fn new() -> Self {
        Self {
            sent: 0,
            received: 0,
            lost: 0,
            unexpected: 0,
            failed: 0,
            truncated: 0,
            octets: 0,
            rcodes: [0; 16],
            latencies: Histogram::new(),
        }
    }

    /// Counts an answer of at least a header that took so long.
    pub fn answer(&mut self, message: &[u8], nanoseconds: u64) {
        self.received += 1;
        self.octets += message.len() as u64;
        self.truncated += u64::from(message[2] >> 1 & 1);
        self.rcodes[usize::from(message[3] & 0x0f)] += 1;
        self.latencies.add(nanoseconds);
    }

    /// All of it as one JSON object; times in microseconds.
    #[allow(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    pub fn to_json(&self, elapsed: Duration) -> String {
        let seconds = elapsed.as_secs_f64();
        let mut json = String::from("{");
        for (name, count) in [
            ("sent", self.sent),
            ("received", self.received),
            ("lost", self.lost),
            ("unexpected", self.unexpected),
            ("failed", self.failed),
            ("truncated", self.truncated),
            ("octets", self.octets),
        ] {
            put(&mut json, &format!("\"{name}\": {count}, "));
        }
        put(&mut json, &format!("\"seconds\": {seconds:.6}, \"rate\": {:.1}, ", self.received as f64 / seconds));
        let counted = (0..).zip(&self.rcodes).filter(|(_, count)| **count > 0);
        let named = counted.map(|(code, count)| match RCODES.get(code) {
            Some(name) => format!("\"{name}\": {count}"),
            None => format!("\"RCODE{code}\": {count}"),
        });
        put(&mut json, &format!("\"rcodes\": {{{}}}, ", named.collect::<Vec<_>>().join(", ")));
        put(&mut json, &format!("\"latency\": {{{}}}}}", self.latency_fields().join(", ")));
        json
    }

    #[allow(clippy::cast_precision_loss, reason = "a sum of latencies in nanoseconds is far below 2^52 seconds")]
    fn latency_fields(&self) -> Vec<String> {
        let microseconds = |nanoseconds: u64| nanoseconds as f64 / 1000.0;
        let mean = self.latencies.sum as f64 / self.received.max(1) as f64 / 1000.0;
        let shares = [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999), ("p99.99", 0.9999)];
        let mut fields = vec![format!("\"mean\": {mean:.1}")];
        for (name, share) in shares {
            fields.push(format!("\"{name}\": {:.1}", microseconds(self.latencies.percentile(share))));
        }
        fields.push(format!("\"max\": {:.1}", microseconds(self.latencies.longest)));
        fields
    }
}

fn put(json: &mut String, text: &str) {
    json.write_str(text).expect("writing to a string cannot fail");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_in_order_and_narrow() {
        for nanoseconds in [0, 1, 31, 32, 33, 63, 64, 100, 1000, 123_456, 99_999_999, u64::MAX] {
            let bucket = bucket(nanoseconds) as u64;
            let (start, next) =
                (bucket_start(bucket), u128::from(bucket_start(bucket)) + 1 + u128::from(nanoseconds / 32));
            assert!(start <= nanoseconds && u128::from(nanoseconds) < next, "{nanoseconds}: {start}..{next}");
        }
    }

    #[test]
    fn percentiles_are_found() {
        let mut histogram = Histogram::new();
        (1..=1000).for_each(|microseconds| histogram.add(microseconds * 1000));
        let median = histogram.percentile(0.5);
        assert!((480_000..=500_000).contains(&median), "{median}");
        assert_eq!(histogram.longest, 1_000_000);
    }

    #[test]
    fn the_report_counts_rcodes_and_truncation() {
        let mut report = Report::new();
        report.answer(&[0, 0, 0x82, 0x03, 0, 0, 0, 0, 0, 0, 0, 0], 2000);
        let json = report.to_json(Duration::from_secs(2));
        assert!(json.contains("\"NXDOMAIN\": 1") && json.contains("\"truncated\": 1"), "{json}");
        assert!(json.contains("\"rate\": 0.5") && json.contains("\"max\": 2.0"), "{json}");
    }
}
