//! What the user gets to see at the end.

use std::mem;

use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{CellAlignment, ContentArrangement, Table};
use console::Term;
use hub_events::{Finding, Report};
use serde::Serialize;

use crate::replay::Tally;
use crate::terminal::printable;

/// How the webhooks were answered, and what the modules found.
#[derive(Serialize)]
pub(crate) struct Summary<'a> {
    #[serde(flatten)]
    pub(crate) tally: &'a Tally,
    pub(crate) modules: &'a Report,
}

impl Summary<'_> {
    pub(crate) fn to_json(&self) -> serde_json::Result<String> {
        serde_json::to_string(self)
    }

    pub(crate) fn to_table(&self) -> String {
        let Tally { published, failed, unknown, malformed, .. } = self.tally;
        let counts =
            format!("{published} published, {failed} failed, {malformed} malformed; {unknown} of an unknown kind");
        if self.tally.by_event.is_empty() {
            return counts;
        }
        format!("{}\n{}\n{counts}", self.events(), self.findings())
    }

    fn events(&self) -> Table {
        let mut table = table(["event", "webhooks"]);
        table.add_rows(self.tally.by_event.iter().map(|(event, count)| [(*event).to_owned(), count.to_string()]));
        if let Some(counts) = table.column_mut(1) {
            counts.set_cell_alignment(CellAlignment::Right);
        }
        table
    }

    fn findings(&self) -> Table {
        let mut table = table(["module", "what", "found"]);
        self.modules.for_each(|module, findings| {
            // Named once, in its first row.
            let mut module = module.to_owned();
            for (what, found) in findings {
                table.add_row([mem::take(&mut module), printable(what), text(found)]);
            }
        });
        table
    }
}

/// As wide as its content; on a terminal, no wider than that.
fn table<const N: usize>(header: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED).set_header(header);
    if let Some((_, width)) = Term::stdout().size_checked() {
        table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
    }
    table
}

fn text(finding: &Finding) -> String {
    match finding {
        Finding::Count(count) => count.to_string(),
        Finding::Text(text) => printable(text),
    }
}
