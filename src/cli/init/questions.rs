//! Questions to the operator: asked on stderr, answered on stdin, one line each.

use std::io::{self, BufRead, Write};

use crate::cli::exit::Failure;

/// Someone who answers.
pub(super) struct Questions<I, O> {
    answers: I,
    questions: O,
}

impl<I: BufRead, O: Write> Questions<I, O> {
    pub(super) fn new(answers: I, questions: O) -> Self {
        Self { answers, questions }
    }

    /// Asks until the answer is one that `accept` takes. An empty line means `usual`, where there is one.
    pub(super) fn ask<T>(
        &mut self,
        question: &str,
        usual: Option<&str>,
        accept: impl Fn(&str) -> Result<T, String>,
    ) -> Result<T, Failure> {
        loop {
            let line = self
                .line(question, usual)
                .map_err(|error| Failure::new(format!("{question}: {error}")))?;
            let Some(line) = line else {
                return Err(
                    Failure::new(format!("the answers ended before the question: {question}"))
                        .remedy("`claviger init --help` names the option of each question"),
                );
            };
            let answer = match (line.trim(), usual) {
                ("", Some(usual)) => usual,
                (answer, _) => answer,
            };
            match accept(answer) {
                Ok(accepted) => return Ok(accepted),
                Err(why) => writeln!(self.questions, "  {why}")
                    .map_err(|error| Failure::new(format!("{question}: {error}")))?,
            }
        }
    }

    fn line(&mut self, question: &str, usual: Option<&str>) -> io::Result<Option<String>> {
        match usual {
            Some(usual) => write!(self.questions, "{question} [{usual}]: ")?,
            None => write!(self.questions, "{question}: ")?,
        }
        self.questions.flush()?;
        let mut line = String::new();
        Ok((self.answers.read_line(&mut line)? > 0).then_some(line))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Result<u8, String> {
        text.parse().map_err(|_| format!("{text} is not a number"))
    }

    #[test]
    fn a_wrong_answer_is_asked_again_and_an_empty_one_is_the_usual() {
        let mut said = Vec::new();
        let mut questions = Questions::new(&b"x\n 7 \n\n"[..], &mut said);
        assert_eq!(questions.ask("How many", None, number).unwrap(), 7);
        assert_eq!(questions.ask("How many", Some("3"), number).unwrap(), 3);
        assert!(
            questions.ask("How many", Some("3"), number).is_err(),
            "the end of the input is no answer"
        );
        assert!(String::from_utf8(said).unwrap().contains("x is not a number"));
    }
}
