//! A stub of the crate `tokenizers`: the names that candle-core uses, without any function.
//!
//! candle reads the tokenizers of language models, and no feature of it leaves them out. We have no text, and
//! the real crate would bring thirty more into every build. No value of [`Tokenizer`] exists here, since
//! [`BpeBuilder::build`](models::bpe::BpeBuilder::build) gives an error, so that all code behind it is unreachable.
//! To use the real crate, remove the line `[patch.crates-io]` of the workspace.

use std::{convert::Infallible, fmt};

/// The error of this stub: it cannot tokenize a text.
#[derive(Debug)]
pub struct NoTokenizers;

impl fmt::Display for NoTokenizers {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("this program was built without tokenizers")
    }
}

impl std::error::Error for NoTokenizers {}

/// A tokenizer, of which no value exists.
#[derive(Debug, Clone)]
pub struct Tokenizer(Infallible);

impl Tokenizer {
    pub fn new(model: models::bpe::BPE) -> Self {
        match model.0 {}
    }

    pub fn with_normalizer(&mut self, _: Option<Step>) -> Result<&mut Self, NoTokenizers> {
        match self.0 {}
    }

    pub fn with_pre_tokenizer(&mut self, _: Option<Step>) -> &mut Self {
        match self.0 {}
    }

    pub fn with_decoder(&mut self, _: Option<Step>) -> &mut Self {
        match self.0 {}
    }

    pub fn with_post_processor(&mut self, _: Option<Step>) -> &mut Self {
        match self.0 {}
    }

    pub fn add_special_tokens(&mut self, _: Vec<AddedToken>) -> Result<usize, NoTokenizers> {
        match self.0 {}
    }
}

/// A step of tokenization, under all names that candle uses; it is never executed.
#[derive(Debug, Clone)]
pub enum Step {
    Template(processors::template::TemplateProcessing),
    Other,
}

/// A sequence of steps as one step.
#[derive(Debug, Clone)]
pub struct Sequence;

impl Sequence {
    pub fn new(_: Vec<Step>) -> Self {
        Self
    }
}

impl From<Sequence> for Step {
    fn from(_: Sequence) -> Self {
        Self::Other
    }
}

/// The step that turns texts into bytes.
#[derive(Debug, Clone, Default)]
pub struct ByteLevel;

impl ByteLevel {
    pub fn new(_: bool, _: bool, _: bool) -> Self {
        Self
    }
}

impl From<ByteLevel> for Step {
    fn from(_: ByteLevel) -> Self {
        Self::Other
    }
}

/// A token of a vocabulary that does not exist here.
#[derive(Debug, Clone)]
pub struct AddedToken;

impl AddedToken {
    pub fn from(_: impl Into<String>, _: bool) -> Self {
        Self
    }
}

pub mod models {
    pub mod bpe {
        use std::{collections::HashMap, convert::Infallible};

        use crate::NoTokenizers;

        pub type Vocab = HashMap<String, u32>;

        /// Byte-pair encoding, of which no value exists.
        #[derive(Debug, Clone)]
        pub struct BPE(pub(crate) Infallible);

        impl BPE {
            pub fn builder() -> BpeBuilder {
                BpeBuilder
            }
        }

        /// A builder that always fails.
        #[derive(Debug)]
        pub struct BpeBuilder;

        impl BpeBuilder {
            pub fn vocab_and_merges(self, _: Vocab, _: Vec<(String, String)>) -> Self {
                self
            }

            pub fn unk_token(self, _: String) -> Self {
                self
            }

            pub fn byte_fallback(self, _: bool) -> Self {
                self
            }

            pub fn ignore_merges(self, _: bool) -> Self {
                self
            }

            /// # Errors
            /// Always.
            pub fn build(self) -> Result<BPE, NoTokenizers> {
                Err(NoTokenizers)
            }
        }
    }
}

pub mod normalizers {
    pub use crate::Step as NormalizerWrapper;

    pub mod unicode {
        use crate::Step;

        #[derive(Debug, Clone)]
        pub struct NFC;

        impl From<NFC> for Step {
            fn from(_: NFC) -> Self {
                Self::Other
            }
        }
    }
}

pub mod pre_tokenizers {
    pub use crate::Step as PreTokenizerWrapper;

    pub mod byte_level {
        pub use crate::ByteLevel;
    }

    pub mod sequence {
        pub use crate::Sequence;
    }

    pub mod split {
        use crate::{NoTokenizers, Step, tokenizer::SplitDelimiterBehavior};

        pub enum SplitPattern {
            Regex(String),
        }

        #[derive(Debug, Clone)]
        pub struct Split;

        impl Split {
            /// # Errors
            /// Always.
            pub fn new(_: SplitPattern, _: SplitDelimiterBehavior, _: bool) -> Result<Self, NoTokenizers> {
                Err(NoTokenizers)
            }
        }

        impl From<Split> for Step {
            fn from(_: Split) -> Self {
                Self::Other
            }
        }
    }
}

pub mod decoders {
    pub use crate::Step as DecoderWrapper;

    pub mod byte_level {
        pub use crate::ByteLevel;
    }
}

pub mod processors {
    pub use crate::Step as PostProcessorWrapper;

    pub mod byte_level {
        pub use crate::ByteLevel;
    }

    pub mod sequence {
        pub use crate::Sequence;
    }

    pub mod template {
        use crate::NoTokenizers;

        #[derive(Debug, Clone)]
        pub struct TemplateProcessing;

        impl TemplateProcessing {
            pub fn builder() -> Builder {
                Builder
            }
        }

        #[derive(Debug)]
        pub struct Builder;

        impl Builder {
            /// # Errors
            /// Always.
            pub fn try_single(&mut self, _: Vec<String>) -> Result<&mut Self, NoTokenizers> {
                Err(NoTokenizers)
            }

            /// # Errors
            /// Always.
            pub fn try_pair(&mut self, _: Vec<String>) -> Result<&mut Self, NoTokenizers> {
                Err(NoTokenizers)
            }

            pub fn special_tokens(&mut self, _: Vec<(String, u32)>) -> &mut Self {
                self
            }

            /// # Errors
            /// Always.
            pub fn build(&self) -> Result<TemplateProcessing, NoTokenizers> {
                Err(NoTokenizers)
            }
        }
    }
}

pub mod tokenizer {
    pub enum SplitDelimiterBehavior {
        Isolated,
    }
}
