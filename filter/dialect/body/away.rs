//! Texts that are somewhere else: a body has an address of them, or the id under which they are stored.

use super::place::Roles;

/// What of an object is somewhere else, as far as it has been read. Pictures, sound and video are no
/// texts, wherever they are; of an address only what stands beside it says whether it is one of these.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Away {
    text: bool,
    link: bool,
    typed_link: bool,
    /// What the next value says.
    next: Says,
    /// Its `type` is a picture's.
    picture: bool,
    /// It has a media type.
    typed: bool,
    /// All its media types are without text.
    no_text: bool,
    /// Readers that fold case could take another member for one of these.
    doubtful: bool,
}

/// What a member says of an address beside it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Says {
    #[default]
    Nothing,
    Kind,
    Media,
}

impl Away {
    /// A member's name.
    pub(super) fn name(&mut self, name: &str) {
        self.next = match name {
            "type" => Says::Kind,
            "mimeType" | "mime_type" => Says::Media,
            _ => Says::Nothing,
        };
        let known = ["type", "mimetype", "mime_type"];
        if self.next == Says::Nothing && (4..=9).contains(&name.len()) {
            self.doubtful |= known.iter().any(|known| name.eq_ignore_ascii_case(known));
        }
    }

    /// A text at a place.
    pub(super) fn text(&mut self, text: &str, roles: Roles) {
        match self.next {
            Says::Nothing => {}
            Says::Kind => {
                self.picture = ["image", "input_image"].contains(&text);
                // What was said before, by its id.
                self.text |= text == "item_reference";
            }
            Says::Media => {
                let families = ["image/", "audio/", "video/"];
                let kind = families.iter().find_map(|one| text.strip_prefix(one));
                let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".+-".contains(&byte);
                // Of this one, a model reads the source.
                let drawn = text.contains("svg");
                let no_text = !drawn && kind.is_some_and(|kind| kind.bytes().all(plain));
                self.no_text = no_text && (self.no_text || !self.typed);
                self.typed = true;
            }
        }
        if !text.is_empty() {
            self.text |= roles.has(Roles::ELSEWHERE);
            self.link |= roles.has(Roles::LINK);
            self.typed_link |= roles.has(Roles::TYPED_LINK);
        }
    }

    /// What is left of it once the object has ended; `element` if it is one of a list.
    pub(super) fn left(self, element: bool) -> Self {
        Self {
            text: self.text || self.typed_link && (self.doubtful || !self.no_text),
            link: self.link && (self.doubtful || !(element && self.picture)),
            ..Self::default()
        }
    }

    /// Whether a text is somewhere else.
    pub(super) fn is_any(self) -> bool {
        self.text || self.link
    }

    /// What an object inside it has.
    pub(super) fn add(&mut self, inner: Self) {
        self.text |= inner.text;
        self.link |= inner.link;
    }
}
