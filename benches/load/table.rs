//! The one table: what was measured, as a ratio or a number, beside its goal.

use std::fmt;

/// What a measured value should be.
#[derive(Clone, Copy)]
pub enum Goal {
    AtLeast(f64),
    AtMost(f64),
}

impl Goal {
    fn holds(self, value: f64) -> bool {
        match self {
            Self::AtLeast(goal) => value >= goal,
            Self::AtMost(goal) => value <= goal,
        }
    }
}

impl fmt::Display for Goal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtLeast(goal) => write!(formatter, "at least {}", Value(*goal)),
            Self::AtMost(goal) => write!(formatter, "at most {}", Value(*goal)),
        }
    }
}

/// A number, with as many places as mean something.
struct Value(f64);

impl fmt::Display for Value {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 >= 100.0 {
            write!(formatter, "{:.0}", self.0)
        } else {
            write!(formatter, "{:.2}", self.0)
        }
    }
}

/// Lines of the table, in the order in which they were measured.
#[derive(Default)]
pub struct Table(Vec<(String, f64, Option<Goal>)>);

impl Table {
    /// Adds a line, and prints it beside what else the measurement prints.
    pub fn goal(&mut self, what: impl Into<String>, value: f64, goal: Goal) {
        self.add(what.into(), value, Some(goal));
    }

    /// Adds a line that has no goal.
    pub fn fact(&mut self, what: impl Into<String>, value: f64) {
        self.add(what.into(), value, None);
    }

    fn add(&mut self, what: String, value: f64, goal: Option<Goal>) {
        println!("  -> {what}: {}", Value(value));
        self.0.push((what, value, goal));
    }
}

impl fmt::Display for Table {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self
            .0
            .iter()
            .map(|(what, ..)| what.chars().count())
            .max()
            .unwrap_or(0);
        writeln!(
            formatter,
            "| {:<width$} | {:>10} | {:<14} | holds |",
            "what", "measured", "goal"
        )?;
        writeln!(
            formatter,
            "|-{:-<width$}-|-{:->10}:|-{:-<14}-|-------|",
            "", "", ""
        )?;
        for (what, value, goal) in &self.0 {
            let (goal, holds) = match goal {
                Some(goal) => (goal.to_string(), if goal.holds(*value) { "yes" } else { "NO" }),
                None => (String::new(), ""),
            };
            let value = Value(*value).to_string();
            writeln!(
                formatter,
                "| {what:<width$} | {value:>10} | {goal:<14} | {holds:<5} |"
            )?;
        }
        Ok(())
    }
}
