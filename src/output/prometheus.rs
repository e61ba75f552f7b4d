//! Numbers as text for Prometheus, as the node exporter's textfile collector takes it.

use std::fmt::Write as _;

/// A metric and its samples. One without samples is left out.
pub(crate) struct Metric {
    name: &'static str,
    help: &'static str,
    samples: Vec<Sample>,
}

/// A number and what it is of.
pub(crate) struct Sample {
    labels: Vec<(&'static str, String)>,
    value: f64,
}

impl Metric {
    pub(crate) const fn gauge(name: &'static str, help: &'static str, samples: Vec<Sample>) -> Self {
        Self { name, help, samples }
    }
}

impl Sample {
    pub(crate) fn new(common: &[(&'static str, String)], own: &[(&'static str, String)], value: f64) -> Self {
        Self { labels: common.iter().chain(own).cloned().collect(), value }
    }
}

/// The text of the metrics.
pub(crate) fn text(metrics: &[Metric]) -> String {
    let mut text = String::new();
    for metric in metrics.iter().filter(|metric| !metric.samples.is_empty()) {
        writeln!(text, "# HELP {} {}\n# TYPE {} gauge", metric.name, metric.help, metric.name).ok();
        for sample in &metric.samples {
            let labels: Vec<String> =
                sample.labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
            writeln!(text, "{}{{{}}} {}", metric.name, labels.join(","), sample.value).ok();
        }
    }
    text
}

/// The three characters that a label's value may not hold as they are.
fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_cannot_break_out_of_its_quotes() {
        let sample = Sample::new(&[("service", "local".to_owned())], &[("key", "a\"b\\c\nd".to_owned())], 1.5);
        let metrics = [Metric::gauge("keys_x", "Help", vec![sample]), Metric::gauge("keys_y", "None", Vec::new())];
        assert_eq!(
            text(&metrics),
            "# HELP keys_x Help\n# TYPE keys_x gauge\nkeys_x{service=\"local\",key=\"a\\\"b\\\\c\\nd\"} 1.5\n"
        );
    }
}
