//! Templates with what `cryptoki` has no attribute for, in the form that a module reads.

use cryptoki::object::Attribute;
use cryptoki_sys as ck;

/// The attributes of a key that is made or unwrapped.
#[derive(Clone, Copy, Default)]
pub(in crate::device) struct Template<'a> {
    /// Those that `cryptoki` knows.
    pub(in crate::device) plain: &'a [Attribute],
    /// `CKA_ALLOWED_MECHANISMS`; empty: left out.
    pub(in crate::device) allowed_mechanisms: &'a [ck::CK_MECHANISM_TYPE],
    /// `CKA_UNWRAP_TEMPLATE`; empty: left out.
    pub(in crate::device) of_unwrapped: &'a [Attribute],
    /// `CKA_WRAP_TEMPLATE`; empty: left out.
    pub(in crate::device) of_wrapped: &'a [Attribute],
}

impl<'a> From<&'a [Attribute]> for Template<'a> {
    fn from(plain: &'a [Attribute]) -> Self {
        Self {
            plain,
            ..Self::default()
        }
    }
}

impl Template<'_> {
    /// The template as PKCS#11 has it. Its pointers are those of what this borrows and of the boxes in the result, which
    /// neither move nor go while the result lives.
    pub(super) fn lend(&self) -> Lent<'_> {
        let raw = |attributes: &[Attribute]| {
            attributes
                .iter()
                .map(Into::into)
                .collect::<Box<[ck::CK_ATTRIBUTE]>>()
        };
        let nested = [
            (ck::CKA_UNWRAP_TEMPLATE, raw(self.of_unwrapped)),
            (ck::CKA_WRAP_TEMPLATE, raw(self.of_wrapped)),
        ];
        let (mut attributes, closing): (Vec<_>, Vec<_>) = raw(self.plain)
            .into_iter()
            .partition(|attribute| attribute.type_ != ck::CKA_MODIFIABLE);
        attributes.extend(
            nested
                .iter()
                .filter(|(_, inner)| !inner.is_empty())
                .map(|(name, inner)| attribute(*name, inner)),
        );
        if !self.allowed_mechanisms.is_empty() {
            attributes.push(attribute(ck::CKA_ALLOWED_MECHANISMS, self.allowed_mechanisms));
        }
        // The last: some tokens go through a template in its order, and change nothing after that.
        attributes.extend(closing);
        Lent {
            attributes,
            _nested: nested,
            _of: self,
        }
    }
}

/// A template that a module can read.
pub(super) struct Lent<'a> {
    attributes: Vec<ck::CK_ATTRIBUTE>,
    /// What the attributes point to.
    _nested: [(ck::CK_ATTRIBUTE_TYPE, Box<[ck::CK_ATTRIBUTE]>); 2],
    _of: &'a Template<'a>,
}

impl Lent<'_> {
    pub(super) fn attributes(&mut self) -> &mut [ck::CK_ATTRIBUTE] {
        &mut self.attributes
    }
}

fn attribute<T>(name: ck::CK_ATTRIBUTE_TYPE, value: &[T]) -> ck::CK_ATTRIBUTE {
    ck::CK_ATTRIBUTE {
        type_: name,
        pValue: value.as_ptr().cast_mut().cast(),
        ulValueLen: size_of_val(value) as ck::CK_ULONG,
    }
}
