//! JSON's grammar (RFC 8259) without its values: which string is a key, and where a text that
//! claims to be JSON stops being it.

/// Nesting that is followed. Below it every string is taken for a value.
const MAX_DEPTH: usize = 1024;

/// What a string is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// A member's name.
    Key,
    /// A value.
    Value,
}

/// What may come next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Expect {
    #[default]
    Value,
    ValueOrEnd,
    Key,
    KeyOrEnd,
    Colon,
    CommaOrEnd,
}

/// Follows the tokens of JSON values, one after another.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Grammar {
    /// True for an object, false for an array.
    open: Vec<bool>,
    /// Levels opened below [`MAX_DEPTH`].
    deeper: u64,
    expect: Expect,
}

impl Grammar {
    /// True outside every object and array.
    pub(super) fn at_top(&self) -> bool {
        self.open.is_empty()
    }

    /// True where a value of an array may come.
    pub(super) fn in_array(&self) -> bool {
        self.deeper == 0
            && self.open.last() == Some(&false)
            && matches!(self.expect, Expect::Value | Expect::ValueOrEnd)
    }

    /// Takes numbers of an array, each with its comma.
    pub(super) fn numbers(&mut self) {
        self.expect = Expect::Value;
    }

    /// True where one value has ended and the next has not begun.
    pub(super) fn between_values(&self) -> bool {
        self.at_top() && self.expect == Expect::Value
    }

    /// Takes one of `{}[]:,`; false when it must not stand here.
    pub(super) fn mark(&mut self, mark: u8) -> bool {
        if self.deeper > 0 {
            match mark {
                b'{' | b'[' => self.deeper = self.deeper.saturating_add(1),
                b'}' | b']' => {
                    self.deeper -= 1;
                    self.expect = Expect::CommaOrEnd;
                }
                _ => {}
            }
            return true;
        }
        let next = match (mark, self.expect) {
            (b'{' | b'[', Expect::Value | Expect::ValueOrEnd) if self.open.len() == MAX_DEPTH => {
                self.deeper = 1;
                Some(self.expect)
            }
            (b'{', Expect::Value | Expect::ValueOrEnd) => {
                self.open.push(true);
                Some(Expect::KeyOrEnd)
            }
            (b'[', Expect::Value | Expect::ValueOrEnd) => {
                self.open.push(false);
                Some(Expect::ValueOrEnd)
            }
            (b'}', Expect::KeyOrEnd | Expect::CommaOrEnd) => self.close(true),
            (b']', Expect::ValueOrEnd | Expect::CommaOrEnd) => self.close(false),
            (b':', Expect::Colon) => Some(Expect::Value),
            (b',', Expect::CommaOrEnd) => self
                .open
                .last()
                .map(|object| if *object { Expect::Key } else { Expect::Value }),
            _ => None,
        };
        self.expect = next.unwrap_or(self.expect);
        next.is_some()
    }

    /// Takes a string; none when it must not stand here.
    pub(super) fn string(&mut self) -> Option<Role> {
        if self.deeper > 0 {
            return Some(Role::Value);
        }
        match self.expect {
            Expect::Key | Expect::KeyOrEnd => {
                self.expect = Expect::Colon;
                Some(Role::Key)
            }
            _ => self.scalar().then_some(Role::Value),
        }
    }

    /// Whether a value may come next.
    pub(super) fn expects_value(&self) -> bool {
        matches!(self.expect, Expect::Value | Expect::ValueOrEnd)
    }

    /// Takes a number or a literal name; false when it must not stand here.
    pub(super) fn scalar(&mut self) -> bool {
        if self.deeper > 0 {
            return true;
        }
        let fits = self.expects_value();
        if fits {
            self.expect = self.after_value();
        }
        fits
    }

    fn close(&mut self, object: bool) -> Option<Expect> {
        if self.open.last() != Some(&object) {
            return None;
        }
        self.open.pop();
        Some(self.after_value())
    }

    fn after_value(&self) -> Expect {
        if self.open.is_empty() {
            Expect::Value
        } else {
            Expect::CommaOrEnd
        }
    }
}
