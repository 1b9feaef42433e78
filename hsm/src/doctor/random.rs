//! The token's generator of random numbers. How good it is can't be found from outside; that it is stuck can.

use super::examination::Patient;
use super::report::Section;
use crate::Error;

pub(super) fn check(patient: &Patient<'_>, section: &mut Section<'_>) {
    const NAME: &str = "generator";
    const REMEDY: &str = "Have the device examined, and make no keys on it.";
    match draw(patient) {
        Ok((first, second)) if first != second && first != [0; 32] => {
            section.ok(NAME, "it answers, and otherwise each time");
        }
        Ok(_) => section.failure(NAME, "it gave the same bytes twice, or zeros", REMEDY),
        Err(error) => section.failed(NAME, &error, REMEDY),
    }
}

fn draw(patient: &Patient<'_>) -> Result<([u8; 32], [u8; 32]), Error> {
    let (mut first, mut second) = ([0; 32], [0; 32]);
    patient.session.random(&mut first)?;
    patient.session.random(&mut second)?;
    Ok((first, second))
}
