use std::fmt::{self, Display};

/// What somebody's browser is set to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// What the system prefers.
    pub theme: Theme,
    /// The first language that the browser asks for.
    pub language: Language,
    /// Of the view, in CSS pixels.
    pub width: u32,
    /// Of the view, in CSS pixels.
    pub height: u32,
}

/// Light or dark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Theme {
    Light,
    Dark,
}

/// A language of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Language {
    English,
    Chinese,
}

impl Look {
    /// Every theme in every language.
    pub const ALL: [Self; 4] = [
        Self::new(Theme::Light, Language::English),
        Self::new(Theme::Dark, Language::English),
        Self::new(Theme::Light, Language::Chinese),
        Self::new(Theme::Dark, Language::Chinese),
    ];

    /// On the smallest screen on which everything is seen without scrolling.
    #[must_use]
    pub const fn new(theme: Theme, language: Language) -> Self {
        Self {
            theme,
            language,
            width: 1280,
            height: 800,
        }
    }

    /// The same on a telephone.
    #[must_use]
    pub const fn narrow(self) -> Self {
        Self {
            width: 360,
            height: 740,
            ..self
        }
    }
}

impl Default for Look {
    fn default() -> Self {
        Self::new(Theme::Light, Language::English)
    }
}

/// As in the name of a screenshot.
impl Display for Look {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            theme, language, ..
        } = self;
        write!(f, "{}-{}", theme.name(), language.tag())
    }
}

impl Theme {
    /// As in CSS.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}

impl Language {
    /// As browsers send it.
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Chinese => "zh-CN",
        }
    }
}
