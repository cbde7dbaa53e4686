//! Writes `BENCHMARKS.md` and its plot.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::{env, fs, io};

use crate::measure::Table;
use crate::scale::Threads;
use crate::{scale, work};

#[derive(Default)]
pub struct Report {
    markdown: String,
    plotted: Vec<(String, f64)>,
}

impl Report {
    pub fn table(&mut self, table: Table) {
        let (title, rows) = table.measure();
        println!("{title}");
        let _ =
            writeln!(self.markdown, "## {title}\n\n| | ns | ratio (quartiles) | allocations |\n|---|---:|---:|---:|");
        for row in &rows {
            let [lower, median, upper] = row.ratio;
            println!("  {:60} {:9.1} ns {median:6.2} {:6.2}", row.name, row.nanos, row.allocations);
            let _ = writeln!(
                self.markdown,
                "| {} | {:.1} | {median:.2} ({lower:.2}–{upper:.2}) | {} |",
                row.name,
                row.nanos,
                (row.allocations * 100.0).round() / 100.0
            );
        }
        self.markdown.push('\n');
        if title.starts_with("Four handlers, ready") {
            self.plotted = rows.into_iter().map(|row| (row.name.replace("**", ""), row.nanos)).collect();
        }
    }

    pub fn scaling(&mut self) {
        let out = &mut self.markdown;
        let counts = scale::COUNTS.map(|count| count.to_string()).join(" | ");
        let _ = writeln!(
            out,
            "## Growth\n\n| handlers or event types | {counts} |\n|---{}|",
            "|---:".repeat(scale::COUNTS.len())
        );
        row(out, "ns per handler of one event", scale::COUNTS.map(scale::per_handler), 2);
        row(
            out,
            "ns per publish to four handlers, among so many event types",
            scale::COUNTS.map(scale::among_event_types),
            1,
        );
        row(out, "ms of `build`, one registration for each event type", scale::COUNTS.map(scale::build_millis), 3);
        out.push_str("\n| pending handlers | 10 | 100 | 1,000 |\n|---|---:|---:|---:|\n");
        let wakes = scale::PENDING.map(scale::per_wake);
        row(out, "**mediator**, group: ns per wake of one", wakes.map(|[group, _]| group), 0);
        row(out, "`FuturesUnordered`: ns per wake of one", wakes.map(|[_, unordered]| unordered), 0);
        let mediator = work::builder().build().expect("wired");
        let size = |bytes: usize| format!("{bytes} bytes");
        let publish = size_of_val(&mediator.publish(work::OrderPlaced::new(1)));
        let _ = writeln!(
            out,
            "\nThe future of a publish takes {} for an event of {}.\n",
            size(publish),
            size(size_of::<work::OrderPlaced>())
        );
        println!("{}", &out[out.find("## Growth").unwrap_or(0)..]);
    }

    pub fn threads(&mut self, title: &str, rows: Option<Vec<Threads>>) {
        println!("{title}");
        let _ = writeln!(self.markdown, "## {title}\n");
        let Some(rows) = rows else {
            println!("  not measured: another program kept a hardware thread busy");
            self.markdown.push_str("Not measured: another program kept a hardware thread busy.\n\n");
            return;
        };
        self.markdown.push_str(
            "| | ns, one thread | two threads: times the publishes of one | \
             relative to the function pointers (quartiles) |\n|---|---:|---:|---:|\n",
        );
        for Threads { name, nanos, throughput, ratio: [lower, median, upper] } in rows {
            println!("  {name:60} {nanos:9.1} ns {throughput:6.2} {median:6.2} ({lower:.2}–{upper:.2})");
            let _ = writeln!(
                self.markdown,
                "| {name} | {nanos:.1} | {throughput:.2} | {median:.2} ({lower:.2}–{upper:.2}) |"
            );
        }
        self.markdown.push('\n');
    }

    pub fn write(self) -> io::Result<()> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        fs::write(root.join("benches/dispatch/plot.svg"), plot(&self.plotted))?;
        let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("BENCHMARKS.in.md"))?
            .replace("{machine}", &machine())
            .replace("{compile_cost}", include_str!("../../compile-cost/COMPILE-COST.md").trim_end())
            .replace("{tables}", self.markdown.trim_end());
        fs::write(root.join("BENCHMARKS.md"), text)
    }
}

fn row<const COLUMNS: usize>(out: &mut String, name: &str, values: [f64; COLUMNS], digits: usize) {
    let _ = write!(out, "| {name} |");
    for value in values {
        let _ = write!(out, " {value:.digits$} |");
    }
    out.push('\n');
}

fn machine() -> String {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let cpu = cpu.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("unknown processor");
    let rustc = Command::new("rustc").arg("--version").output().map(|output| output.stdout).unwrap_or_default();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    format!(
        "{} ({threads} hardware threads), {}, {}",
        cpu.trim_start_matches([' ', '\t', ':']),
        env::consts::OS,
        String::from_utf8_lossy(&rustc).trim()
    )
}

/// Bars with a logarithmic scale, drawn by hand: a plotting library would be more code than this.
fn plot(bars: &[(String, f64)]) -> String {
    let scale = |nanos: f64| 110.0 * nanos.max(1.0).log10();
    let height = 30 * bars.len() + 60;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 860 {height}\" font-family=\"sans-serif\" font-size=\"13\">\n\
         <rect width=\"860\" height=\"{height}\" fill=\"white\"/>\n\
         <text x=\"10\" y=\"24\" font-size=\"16\">Four handlers, ready: nanoseconds per publish (logarithmic)</text>\n"
    );
    for (index, (name, nanos)) in bars.iter().enumerate() {
        let y = 40 + 30 * index;
        let color = if name.starts_with("mediator") { "#c2410c" } else { "#64748b" };
        let _ = writeln!(
            svg,
            "<text x=\"430\" y=\"{}\" text-anchor=\"end\">{}</text>\
             <rect x=\"440\" y=\"{y}\" width=\"{:.0}\" height=\"20\" fill=\"{color}\"/>\
             <text x=\"{:.0}\" y=\"{}\">{nanos:.0}</text>",
            y + 15,
            name.replace('`', "").replace('&', "&amp;"),
            scale(*nanos),
            446.0 + scale(*nanos),
            y + 15,
        );
    }
    svg + "</svg>\n"
}
