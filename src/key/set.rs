//! Set Attribute and Adjust Attribute (KMIP 2.1, sections 6.1.51 and 6.1.3).

use super::error::AttributeError;
use super::object::ManagedObject;
use crate::kmip::attribute::{Attribute, AttributeKind, AttributeName, AttributeValue, Permission};
use crate::kmip::enumeration::AdjustmentType;
use crate::kmip::ttlv::{DateTime, ItemType, Value};

impl ManagedObject {
    /// Gives an attribute this value: the one instance that there is gets it, or a first one is made.
    pub fn set_attribute(
        &mut self,
        attribute: Attribute,
        now: DateTime,
    ) -> Result<Attribute, AttributeError> {
        let name = attribute.name();
        match self.only_instance(&name, now)? {
            None => self.add_attribute(Attribute::new(attribute.value), now),
            Some(present) => self.modify_attribute(
                Attribute {
                    index: present.index,
                    value: attribute.value,
                },
                now,
            ),
        }
    }

    /// Adjusts the value of an attribute. One that is not there counts as zero or false.
    pub fn adjust_attribute(
        &mut self,
        name: &AttributeName,
        adjustment: AdjustmentType,
        by: Option<&Value>,
        now: DateTime,
    ) -> Result<Attribute, AttributeError> {
        let rules = name
            .rules()
            .ok_or_else(|| AttributeError::Unknown { name: name.clone() })?;
        if rules.modifiable_by_client == Permission::Never {
            return Err(AttributeError::NotModifiable { name: name.clone() });
        }
        let present = match self.only_instance(name, now)? {
            Some(present) => present.value.to_tree(),
            None => zero(name, by)?,
        };
        let adjusted = adjusted(name, &present, adjustment, by)?;
        let value = match name {
            AttributeName::Other(name) => AttributeValue::Other {
                name: name.clone(),
                value: adjusted,
            },
            AttributeName::Standard(kind) => AttributeValue::from_tree(*kind, adjusted)
                .map_err(|_| AttributeError::Range { name: name.clone() })?,
        };
        self.set_attribute(Attribute::new(value), now)
    }

    /// The instance of an attribute that has one instance, or none.
    fn only_instance(
        &self,
        name: &AttributeName,
        now: DateTime,
    ) -> Result<Option<Attribute>, AttributeError> {
        let mut instances = self.instances(name, now).into_iter();
        match (instances.next(), instances.next()) {
            (_, Some(_)) => Err(AttributeError::MultiValued { name: name.clone() }),
            (only, None) => Ok(only),
        }
    }
}

/// What an attribute that has no value is taken to hold. The type of a custom attribute is that of what is added to it.
fn zero(name: &AttributeName, by: Option<&Value>) -> Result<Value, AttributeError> {
    let item_type = match name {
        AttributeName::Standard(kind) => kind.item_type(),
        AttributeName::Other(_) => by.map_or(ItemType::Integer, Value::item_type),
    };
    match item_type {
        ItemType::Integer => Ok(Value::Integer(0)),
        ItemType::LongInteger => Ok(Value::LongInteger(0)),
        ItemType::BigInteger => Ok(Value::BigInteger(vec![0; 8])),
        ItemType::Interval => Ok(Value::Interval(0)),
        ItemType::Boolean => Ok(Value::Boolean(false)),
        // Masks are integers on the wire, and moments have no zero to begin from.
        _ => Err(AttributeError::NotAdjustable { name: name.clone() }),
    }
}

/// The value after the adjustment.
fn adjusted(
    name: &AttributeName,
    value: &Value,
    adjustment: AdjustmentType,
    by: Option<&Value>,
) -> Result<Value, AttributeError> {
    let not_adjustable = || AttributeError::NotAdjustable { name: name.clone() };
    let is_mask = matches!(
        name,
        AttributeName::Standard(AttributeKind::CryptographicUsageMask | AttributeKind::ProtectionStorageMask)
    );
    if is_mask {
        return Err(not_adjustable());
    }
    if let (Value::Boolean(value), AdjustmentType::Negate) = (value, adjustment) {
        return Ok(Value::Boolean(!value));
    }
    let can_be_negative = matches!(
        value,
        Value::Integer(_) | Value::LongInteger(_) | Value::BigInteger(_)
    );
    let number = number(value).ok_or_else(not_adjustable)?;
    let step = match by {
        None => 1,
        Some(by) => step(by).ok_or_else(not_adjustable)?,
    };
    let result = match adjustment {
        AdjustmentType::Increment => number.checked_add(step),
        AdjustmentType::Decrement => number.checked_sub(step),
        AdjustmentType::Negate if can_be_negative => number.checked_neg(),
        _ => return Err(not_adjustable()),
    };
    result
        .and_then(|result| like(value, result))
        .ok_or_else(|| AttributeError::Range { name: name.clone() })
}

/// By how much: a number or a length of time, and no moment.
fn step(by: &Value) -> Option<i128> {
    match by {
        Value::DateTime(_) | Value::DateTimeExtended(_) => None,
        by => number(by),
    }
}

/// What a value counts, where it counts something. Moments count their unit.
fn number(value: &Value) -> Option<i128> {
    match value {
        Value::Integer(number) => Some((*number).into()),
        Value::LongInteger(number) | Value::DateTimeExtended(number) => Some((*number).into()),
        Value::Interval(seconds) => Some((*seconds).into()),
        Value::DateTime(moment) => Some(moment.0.into()),
        Value::BigInteger(bytes) if bytes.len() <= 16 => {
            let negative = bytes.first().is_some_and(|first| first & 0x80 != 0);
            let mut whole = [if negative { 0xFF } else { 0 }; 16];
            whole[16 - bytes.len()..].copy_from_slice(bytes);
            Some(i128::from_be_bytes(whole))
        }
        _ => None,
    }
}

/// The number as a value of the same type, where it fits.
fn like(value: &Value, number: i128) -> Option<Value> {
    match value {
        Value::Integer(_) => number.try_into().ok().map(Value::Integer),
        Value::LongInteger(_) => number.try_into().ok().map(Value::LongInteger),
        Value::DateTimeExtended(_) => number.try_into().ok().map(Value::DateTimeExtended),
        Value::Interval(_) => number.try_into().ok().map(Value::Interval),
        Value::DateTime(_) => number
            .try_into()
            .ok()
            .map(|moment| Value::DateTime(DateTime(moment))),
        Value::BigInteger(_) => Some(Value::BigInteger(match i64::try_from(number) {
            Ok(small) => small.to_be_bytes().to_vec(),
            Err(_) => number.to_be_bytes().to_vec(),
        })),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn custom() -> AttributeName {
        AttributeName::from_text("x-Count")
    }

    fn adjust(
        value: &Value,
        adjustment: AdjustmentType,
        by: Option<&Value>,
    ) -> Result<Value, AttributeError> {
        adjusted(&custom(), value, adjustment, by)
    }

    #[test]
    fn a_number_is_counted_up_and_down_and_never_wraps() {
        use AdjustmentType::{Decrement, Increment, Negate};
        let range = Err(AttributeError::Range { name: custom() });
        for (value, adjustment, by, expected) in [
            (Value::Integer(1), Increment, None, Ok(Value::Integer(2))),
            (Value::Integer(i32::MAX), Increment, None, range.clone()),
            (Value::Integer(i32::MIN), Negate, None, range.clone()),
            (Value::Integer(5), Negate, None, Ok(Value::Integer(-5))),
            (
                Value::LongInteger(5),
                Decrement,
                Some(Value::LongInteger(7)),
                Ok(Value::LongInteger(-2)),
            ),
            (Value::LongInteger(i64::MIN), Decrement, None, range.clone()),
            (Value::Interval(0), Decrement, None, range.clone()),
            (
                Value::DateTime(DateTime(10)),
                Increment,
                Some(Value::Interval(5)),
                Ok(Value::DateTime(DateTime(15))),
            ),
            (
                Value::BigInteger(vec![0xFF; 8]),
                Increment,
                None,
                Ok(Value::BigInteger(vec![0; 8])),
            ),
        ] {
            assert_eq!(adjust(&value, adjustment, by.as_ref()), expected, "{value:?}");
        }
    }

    #[test]
    fn what_is_no_number_cannot_be_counted() {
        let not = Err(AttributeError::NotAdjustable { name: custom() });
        let text = Value::TextString("1".into());
        assert_eq!(adjust(&text, AdjustmentType::Increment, None), not);
        assert_eq!(
            adjust(&Value::Integer(1), AdjustmentType::Increment, Some(&text)),
            not
        );
        assert_eq!(adjust(&Value::Interval(1), AdjustmentType::Negate, None), not);
        assert_eq!(
            adjust(&Value::Boolean(true), AdjustmentType::Increment, None),
            not
        );
        assert_eq!(
            adjust(&Value::Boolean(true), AdjustmentType::Negate, None),
            Ok(Value::Boolean(false))
        );
    }
}
