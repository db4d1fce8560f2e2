//! What a message says about itself, so that its way can be checked: in its id, which servers leave as it is.

/// A message's sender, place in the sender's flow, and time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Stamp {
    /// Who has sent it, counted over all workers.
    pub(crate) flow: u32,
    /// Counted from 0 within the flow.
    pub(crate) seq: u32,
    /// When it was sent, or was to be sent, by the clock.
    pub(crate) at: u64,
}

impl Stamp {
    pub(crate) fn id(&self) -> String {
        format!("l{:x}-{:x}-{:x}", self.flow, self.seq, self.at)
    }

    /// Nothing for an id that is not of this program.
    pub(crate) fn parse(id: &str) -> Option<Stamp> {
        let mut parts = id.strip_prefix('l')?.split('-');
        let flow = u32::from_str_radix(parts.next()?, 16).ok()?;
        let seq = u32::from_str_radix(parts.next()?, 16).ok()?;
        let at = u64::from_str_radix(parts.next()?, 16).ok()?;
        parts.next().is_none().then_some(Stamp { flow, seq, at })
    }
}

/// What one receiver has of one flow.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Flow {
    /// The least that has not come yet, if nothing was lost on the way.
    next: u32,
    /// How many were jumped over and have not come since.
    holes: u32,
}

/// How a message came.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Arrival {
    /// It was its turn, or some before it are missing and may be lost.
    InOrder,
    /// One of those that were missing: it came after something that was sent later.
    Late,
    /// It had come already.
    Again,
}

impl Flow {
    pub(crate) fn take(&mut self, seq: u32) -> Arrival {
        if seq >= self.next {
            self.holes += seq - self.next;
            self.next = seq + 1;
            return Arrival::InOrder;
        }
        // Which one is missing is not kept: the sum is enough to tell that something went wrong.
        if self.holes > 0 {
            self.holes -= 1;
            return Arrival::Late;
        }
        Arrival::Again
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_read_back() {
        let stamp = Stamp { flow: 17, seq: u32::MAX, at: 1_700_000_000_123_456_789 };
        assert_eq!(Stamp::parse(&stamp.id()), Some(stamp));
        for other in ["", "l", "l1-2", "l1-2-3-4", "x1-2-3", "l-1-2-3", "bind"] {
            assert_eq!(Stamp::parse(other), None, "{other}");
        }
    }

    #[test]
    fn each_message_is_seen_once_and_in_order() {
        let mut flow = Flow::default();
        assert_eq!([0, 1, 3].map(|seq| flow.take(seq)), [Arrival::InOrder; 3]);
        assert_eq!(flow.take(2), Arrival::Late);
        assert_eq!(flow.take(3), Arrival::Again);
        assert_eq!(flow.take(4), Arrival::InOrder);
    }
}
