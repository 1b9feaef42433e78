//! Login and Logout (KMIP 2.1, sections 6.1.30 and 6.1.31), and the ticket (section 7.39). Since 2.0. Logout's answer is
//! empty.

use std::fmt;

use zeroize::Zeroizing;

use crate::kmip::attribute::UsageLimits;
use crate::kmip::enumeration::TicketType;
use crate::kmip::tag::Tag;
use crate::kmip::ttlv::{DateTime, DecodeError, Field, ItemType, Reader, Writer, structure_fields};

/// What stands for a login in later requests.
#[derive(Debug)]
pub struct Ticket {
    /// What it came from.
    pub ticket_type: TicketType,
    /// The secret.
    pub ticket_value: TicketValue,
}

/// The secret of a ticket. It is zeroised when it is dropped, and never shown.
pub struct TicketValue(Zeroizing<Vec<u8>>);

/// How long a ticket is to be good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TicketLease {
    /// For so many seconds.
    For(u32),
    /// Until a moment.
    Until(DateTime),
}

/// Give a ticket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LoginRequest {
    /// How long it is to be good; absent leaves that to the server.
    pub lease_time: Option<TicketLease>,
    /// For how many requests; absent means any number.
    pub request_count: Option<i32>,
    /// How much may be done with it.
    pub usage_limits: Option<UsageLimits>,
}

/// The ticket.
#[derive(Debug)]
pub struct LoginResponse {
    /// The ticket.
    pub ticket: Ticket,
}

/// Let a ticket be good no more.
#[derive(Debug)]
pub struct LogoutRequest {
    /// The ticket.
    pub ticket: Ticket,
}

impl TicketValue {
    /// The secret of a ticket, which moves in.
    pub fn new(value: Zeroizing<Vec<u8>>) -> Self {
        Self(value)
    }

    /// The secret, to be compared.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for TicketValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<ticket>")
    }
}

impl<'a> Field<'a> for TicketValue {
    const ITEM_TYPE: ItemType = ItemType::ByteString;

    fn read(reader: &mut Reader<'a, '_>, tag: Tag) -> Result<Self, DecodeError> {
        let value = reader.bytes(tag)?;
        Ok(Self(Zeroizing::new(value.to_vec())))
    }

    fn write(&self, writer: &mut Writer<'_>, tag: Tag) {
        writer.bytes(tag, self.expose());
    }
}

impl<'a> Field<'a> for TicketLease {
    const ITEM_TYPE: ItemType = ItemType::Interval;

    fn read(reader: &mut Reader<'a, '_>, tag: Tag) -> Result<Self, DecodeError> {
        if reader.is_next(tag) && reader.next_type()? == ItemType::DateTime {
            reader.date_time(tag).map(Self::Until)
        } else {
            reader.interval(tag).map(Self::For)
        }
    }

    fn write(&self, writer: &mut Writer<'_>, tag: Tag) {
        match self {
            Self::For(seconds) => writer.interval(tag, *seconds),
            Self::Until(moment) => writer.date_time(tag, *moment),
        }
    }
}

structure_fields!(Ticket {
    ticket_type: TICKET_TYPE,
    ticket_value: TICKET_VALUE,
});
structure_fields!(LoginRequest {
    lease_time: LEASE_TIME,
    request_count: REQUEST_COUNT,
    usage_limits: USAGE_LIMITS,
});
structure_fields!(LoginResponse { ticket: TICKET });
structure_fields!(LogoutRequest { ticket: TICKET });
