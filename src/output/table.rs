//! Tables: rows for people, laid out in the width there is, and the same rows for scripts.
//!
//! A long list is never held as a whole: the first rows decide the widths, the others follow in the same columns.

use std::io::{self, Write};

use serde_json::Value;

use crate::terminal::{Style, Terminal};
use crate::text;

/// How many rows decide the widths: some screens full, so that a list a person reads is laid out by all of it.
const DECIDING: usize = 200;

/// Between two columns.
const GAP: usize = 2;

/// The least a column shrinks to.
const NARROWEST: usize = 8;

/// The least a column shrinks to for the sake of a column that is only nice to have.
const COMFORTABLE: usize = 24;

/// Columns of a lower rank are only nice to have.
const NEEDED: u8 = 5;

/// Of this rank, a column stays however narrow it gets.
const ALWAYS: u8 = 9;

/// One column, in the order people see them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column {
    /// For people: `LAST USED`
    pub(crate) title: &'static str,
    /// For scripts, as the field in JSON: `last_used_at`
    pub(crate) name: &'static str,
    /// Lower is dropped first when there is little room; below 5 is only nice to have, 9 is never dropped.
    pub(crate) rank: u8,
    /// Whether it may be cut. Ids may not.
    pub(crate) shrinks: bool,
    /// Whether it stands at the right, as numbers do.
    pub(crate) right: bool,
    /// Its place among the columns for scripts, which never changes when the table for people does.
    pub(crate) place: u8,
}

/// What stands in one column of one row.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Cell {
    /// `3 days ago`; still to be escaped
    pub(crate) human: String,
    /// `2026-11-17T12:00:00Z`; empty where there is nothing
    pub(crate) plain: String,
    pub(crate) style: Option<Style>,
    /// Whether it is a list of words, of which as many are shown as fit: `read:a read:b +2`
    pub(crate) words: bool,
}

impl Cell {
    /// The same for people and scripts.
    pub(crate) fn new(text: impl Into<String>) -> Self {
        let plain = text.into();
        Self { human: plain.clone(), plain, ..Self::default() }
    }

    /// One for people, the other for scripts.
    pub(crate) fn of(human: impl Into<String>, plain: impl Into<String>) -> Self {
        Self { human: human.into(), plain: plain.into(), ..Self::default() }
    }

    /// A list, separated by spaces for people and by commas for scripts.
    pub(crate) fn words(words: &[&str]) -> Self {
        Self { human: words.join(" "), plain: words.join(","), style: None, words: true }
    }

    pub(crate) fn styled(mut self, style: Style) -> Self {
        self.style = Some(style);
        self
    }
}

/// One row, in each of its forms.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Row {
    /// One for each column, in the order of the columns.
    pub(crate) cells: Vec<Cell>,
    pub(crate) json: Value,
}

/// Writes a table for people, row by row.
#[derive(Debug)]
pub(super) struct Table {
    columns: &'static [Column],
    /// Whether what has no room stands below its line instead of being left out or cut.
    keeps_all: bool,
    waiting: Vec<Vec<Cell>>,
    layout: Option<Vec<Slot>>,
}

/// A column that is shown, and how wide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Slot {
    index: usize,
    width: usize,
}

impl Table {
    pub(super) const fn new(columns: &'static [Column]) -> Self {
        Self { columns, keeps_all: false, waiting: Vec::new(), layout: None }
    }

    /// One whose last column is a text. Where the columns have no room beside each other, it stands below them, and so do
    /// those that have no room either.
    pub(super) const fn keeping_all(columns: &'static [Column]) -> Self {
        Self { columns, keeps_all: true, waiting: Vec::new(), layout: None }
    }

    pub(super) fn row(&mut self, terminal: &mut Terminal, mut cells: Vec<Cell>) -> io::Result<()> {
        for cell in &mut cells {
            if let std::borrow::Cow::Owned(escaped) = text::escape(&cell.human) {
                cell.human = escaped;
            }
        }
        if let Some(layout) = &self.layout {
            return self.write_all(terminal, layout, &cells);
        }
        self.waiting.push(cells);
        if self.waiting.len() < DECIDING { Ok(()) } else { self.lay_out(terminal) }
    }

    /// Nothing at all is written for a list without rows: the caller says so in words.
    pub(super) fn finish(mut self, terminal: &mut Terminal) -> io::Result<()> {
        self.lay_out(terminal)
    }

    /// Writes the rows that are there. Those that follow are laid out as they are.
    pub(super) fn lay_out(&mut self, terminal: &mut Terminal) -> io::Result<()> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let (columns, width) = (self.columns, terminal.width());
        let whole = natural(columns, &self.waiting);
        let layout = if self.keeps_all && total(whole.iter().map(|slot| slot.width)) > width {
            layout(&columns[..columns.len().saturating_sub(1)], &self.waiting, width)
        } else {
            layout(columns, &self.waiting, width)
        };
        let header: Vec<Cell> =
            self.columns.iter().map(|column| Cell::new(column.title).styled(Style::Strong)).collect();
        self.write(terminal, &layout, &header)?;
        for cells in std::mem::take(&mut self.waiting) {
            self.write_all(terminal, &layout, &cells)?;
        }
        self.layout = Some(layout);
        Ok(())
    }

    /// Writes a row, and below it what has no column.
    fn write_all(&self, terminal: &mut Terminal, layout: &[Slot], cells: &[Cell]) -> io::Result<()> {
        const INDENT: &str = "  ";
        self.write(terminal, layout, cells)?;
        if !self.keeps_all {
            return Ok(());
        }
        let room = terminal.width().saturating_sub(INDENT.len());
        let below = self.columns.iter().zip(cells).enumerate();
        let below =
            below.filter(|(index, (_, cell))| !cell.human.is_empty() && layout.iter().all(|slot| slot.index != *index));
        for (index, (column, cell)) in below {
            // The last is what all the others lead to.
            let text = if index + 1 == self.columns.len() {
                cell.human.clone()
            } else {
                format!("{} {}", column.title.to_lowercase(), cell.human)
            };
            for line in text::wrapped(&text, room) {
                writeln!(terminal.out(), "{INDENT}{line}")?;
            }
        }
        Ok(())
    }

    /// Writes one line. A cell that is wider than its column and may not be cut (an id, after the widths were decided) takes
    /// its room from the gaps behind it.
    fn write(&self, terminal: &mut Terminal, layout: &[Slot], cells: &[Cell]) -> io::Result<()> {
        let nothing = Cell::default();
        let mut line = String::with_capacity(160);
        let (mut at, mut start) = (0, 0);
        for (position, slot) in layout.iter().enumerate() {
            let column = &self.columns[slot.index];
            let cell = cells.get(slot.index).unwrap_or(&nothing);
            let shown = fit(cell, column.shrinks, slot.width);
            let width = text::width(&shown);
            let indent = if column.right { slot.width.saturating_sub(width) } else { 0 };
            if width > 0 {
                let least = if position == 0 { 0 } else { at + GAP };
                let target = (start + indent).max(least);
                line.extend(std::iter::repeat_n(' ', target - at));
                match cell.style {
                    Some(style) => line.push_str(&terminal.paint(style, &shown)),
                    None => line.push_str(&shown),
                }
                at = target + width;
            }
            start += slot.width + GAP;
        }
        line.push('\n');
        terminal.out().write_all(line.as_bytes())
    }
}

/// Which columns are shown and how wide: as wide as they need; else those that may shrink do, first to a comfortable
/// width; then columns that are only nice to have go; then the others shrink further, and at last others go.
fn layout(columns: &[Column], rows: &[Vec<Cell>], width: usize) -> Vec<Slot> {
    let mut slots = natural(columns, rows);
    while least(columns, &slots, COMFORTABLE) > width && drop_lowest(columns, &mut slots, NEEDED) {}
    while least(columns, &slots, NARROWEST) > width && drop_lowest(columns, &mut slots, ALWAYS) {}
    shrink(columns, &mut slots, width);
    slots
}

/// All columns, as wide as they need.
fn natural(columns: &[Column], rows: &[Vec<Cell>]) -> Vec<Slot> {
    let widest =
        |index: usize| rows.iter().filter_map(|cells| cells.get(index)).map(|cell| text::width(&cell.human)).max();
    let slot = |(index, column): (usize, &Column)| Slot {
        index,
        width: widest(index).unwrap_or(0).max(text::width(column.title)),
    };
    columns.iter().enumerate().map(slot).collect()
}

fn total(widths: impl ExactSizeIterator<Item = usize>) -> usize {
    let gaps = widths.len().saturating_sub(1) * GAP;
    widths.sum::<usize>() + gaps
}

/// How wide the columns are when all that may shrink have shrunk to `floor`.
fn least(columns: &[Column], slots: &[Slot], floor: usize) -> usize {
    total(slots.iter().map(|slot| if columns[slot.index].shrinks { slot.width.min(floor) } else { slot.width }))
}

/// Drops the column of the lowest rank below `limit`, of several the last. Says whether there was one.
fn drop_lowest(columns: &[Column], slots: &mut Vec<Slot>, limit: u8) -> bool {
    let rank = |slot: &Slot| columns[slot.index].rank;
    let Some(lowest) = slots.iter().map(rank).filter(|rank| *rank < limit).min() else {
        return false;
    };
    if let Some(position) = slots.iter().rposition(|slot| rank(slot) == lowest) {
        slots.remove(position);
    }
    true
}

/// Takes one column of width after the other from the widest that may shrink, so that a short one stays whole.
fn shrink(columns: &[Column], slots: &mut [Slot], width: usize) {
    let mut excess = total(slots.iter().map(|slot| slot.width)).saturating_sub(width);
    while excess > 0 {
        let shrinking = slots.iter_mut().filter(|slot| columns[slot.index].shrinks && slot.width > NARROWEST);
        let Some(widest) = shrinking.max_by_key(|slot| slot.width) else {
            return;
        };
        widest.width -= 1;
        excess -= 1;
    }
}

/// What is shown of a cell in so many columns.
fn fit(cell: &Cell, shrinks: bool, columns: usize) -> std::borrow::Cow<'_, str> {
    if !shrinks || text::width(&cell.human) <= columns {
        return std::borrow::Cow::Borrowed(&cell.human);
    }
    let words: Vec<&str> = cell.human.split(' ').collect();
    if !cell.words || words.len() < 2 {
        return text::shorten(&cell.human, columns);
    }
    let fitting = (1..words.len()).rev().find_map(|kept| {
        let candidate = format!("{} +{}", words[..kept].join(" "), words.len() - kept);
        (text::width(&candidate) <= columns).then_some(candidate)
    });
    let shown = fitting.unwrap_or_else(|| {
        let others = format!(" +{}", words.len() - 1);
        format!("{}{others}", text::shorten(words[0], columns.saturating_sub(others.len())))
    });
    std::borrow::Cow::Owned(shown)
}

/// The columns as scripts see them: their indices, in the order of their places.
pub(super) fn script_order(columns: &[Column]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..columns.len()).collect();
    order.sort_by_key(|index| columns[*index].place);
    order
}

/// Writes a row for scripts: its cells separated by tabs, whole, with what would break the line spelled out.
pub(super) fn write_tabbed(out: &mut dyn Write, order: &[usize], cells: &[Cell]) -> io::Result<()> {
    let mut line = String::with_capacity(200);
    for (position, index) in order.iter().enumerate() {
        if position > 0 {
            line.push('\t');
        }
        if let Some(cell) = cells.get(*index) {
            line.push_str(&text::escape(&cell.plain));
        }
    }
    line.push('\n');
    out.write_all(line.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn column(title: &'static str, rank: u8, shrinks: bool, right: bool) -> Column {
        Column { title, name: title, rank, shrinks, right, place: 0 }
    }

    static COLUMNS: [Column; 4] = [
        column("NAME", 9, true, false),
        column("ID", 9, false, false),
        column("CALLS", 6, false, true),
        column("SCOPES", 2, true, false),
    ];

    fn cells(name: &str, id: &str, calls: &str, scopes: &[&str]) -> Vec<Cell> {
        vec![Cell::new(name), Cell::new(id), Cell::new(calls), Cell::words(scopes)]
    }

    fn table(columns: u16, rows: &[Vec<Cell>]) -> String {
        let (mut terminal, captured) = Terminal::test_screen(columns);
        let mut table = Table::new(&COLUMNS);
        for row in rows {
            table.row(&mut terminal, row.clone()).unwrap();
        }
        table.finish(&mut terminal).unwrap();
        terminal.flush().unwrap();
        captured.stdout()
    }

    #[test]
    fn columns_shrink_then_go_but_ids_stay_whole() {
        let rows = [
            cells("Ingestion worker", "key_7qz3m1v9w8x2", "12", &["read:contacts", "read:companies", "write:lists"]),
            cells("ci", "key_0000000000ab", "1204", &["read:contacts"]),
        ];
        let wide = "\
NAME              ID                CALLS  SCOPES
Ingestion worker  key_7qz3m1v9w8x2     12  read:contacts read:companies write:lists
ci                key_0000000000ab   1204  read:contacts
";
        assert_eq!(table(85, &rows), wide);
        let shrunk = "\
NAME              ID                CALLS  SCOPES
Ingestion worker  key_7qz3m1v9w8x2     12  read:contacts +2
ci                key_0000000000ab   1204  read:contacts
";
        assert_eq!(table(71, &rows), shrunk);
        let dropped = "\
NAME              ID                CALLS
Ingestion worker  key_7qz3m1v9w8x2     12
ci                key_0000000000ab   1204
";
        assert_eq!(table(48, &rows), dropped);
        let narrow = "\
NAME      ID
Ingesti…  key_7qz3m1v9w8x2
ci        key_0000000000ab
";
        assert_eq!(table(26, &rows), narrow);
        assert_eq!(table(10, &rows), narrow, "an id is never cut");
    }

    #[test]
    fn hostile_and_wide_names_keep_the_columns() {
        let rows = [cells("a\x1b[2J\n\u{202e}b", "key_1", "", &[]), cells("鍵鍵", "key_2", "7", &["x"])];
        let expected = "\
NAME                 ID     CALLS  SCOPES
a\\x1b[2J\\n\\u{202e}b  key_1
鍵鍵                 key_2      7  x
";
        assert_eq!(table(80, &rows), expected);
    }

    #[test]
    fn a_long_list_keeps_the_widths_of_its_beginning() {
        let mut rows = vec![cells("short", "key_1", "1", &["a"]); DECIDING];
        rows.push(cells("much too long", "key_0000000000ab", "1", &["a"]));
        rows.push(cells("short", "key_2", "1", &["a"]));
        let text = table(80, &rows);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), DECIDING + 3);
        assert_eq!(lines[0], "NAME   ID     CALLS  SCOPES");
        assert_eq!(lines[DECIDING], "short  key_1      1  a");
        assert_eq!(lines[DECIDING + 1], "much…  key_0000000000ab  1  a");
        assert_eq!(lines[DECIDING + 2], "short  key_2      1  a");
        assert_eq!(text.matches("NAME").count(), 1);
    }

    #[test]
    fn a_list_without_rows_is_no_table() {
        assert_eq!(table(80, &[]), "");
    }

    #[test]
    fn words_are_left_out_whole() {
        let cell = Cell::words(&["read:contacts", "write:contacts", "read:lists"]);
        assert_eq!(fit(&cell, true, 39), "read:contacts write:contacts read:lists");
        assert_eq!(fit(&cell, true, 38), "read:contacts write:contacts +1");
        assert_eq!(fit(&cell, true, 20), "read:contacts +2");
        assert_eq!(fit(&cell, true, 12), "read:con… +2");
        assert_eq!(fit(&cell, false, 12), "read:contacts write:contacts read:lists");
    }
}
