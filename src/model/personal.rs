//! A personal model: a small difference to a base model, learnt from one player. It can be turned down, and
//! undone.
//!
//! The file is a safetensors file, as a model's is. The difference of a matrix is the product of two narrow
//! ones (LoRA: Hu et al., 2021); all other tensors differ number by number. The file names its base and the
//! fingerprint of the base's weights, since the difference means nothing for any other model.

use std::collections::{BTreeMap, HashMap};

use half::f16;
use safetensors::{Dtype, SafeTensors, tensor::TensorView};

use super::{
    product::{Matrix, MatrixMut, Output, Sizes, product},
    weights::{Architecture, ModelError, REPRESENTATION, Weights, numbers_of, unreadable},
};

/// The file extension.
pub const ENDING: &str = "antiphon";
/// The kind of file, as its metadata names it.
const KIND: &str = "personal";
/// The version of the format.
const VERSION: &str = "1";
/// Suffixes to the name of a matrix, for the first and the second factor of its difference.
const UP: &str = ".up";
const DOWN: &str = ".down";
/// Largest rank: wider factors would be no small difference.
const WIDEST: usize = 64;

/// The difference between a player's personal model and its base.
#[derive(Debug, Clone, PartialEq)]
pub struct Personal {
    pub name: String,
    pub base: Base,
    pub architecture: Architecture,
    /// A description for people, as TOML.
    pub card: String,
    /// The tensors that differ, by their names in the base; the others stay the same.
    pub parts: BTreeMap<String, Part>,
}

/// The model to which a difference belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base {
    pub name: String,
    /// [`Weights::fingerprint`].
    pub fingerprint: u64,
}

/// The difference of one tensor.
#[derive(Debug, Clone, PartialEq)]
pub enum Part {
    /// A difference for each number.
    Sum(Vec<f32>),
    /// The product of `up` (outputs, rank) and `down` (rank, inputs).
    Factors { up: Vec<f32>, down: Vec<f32>, rank: usize },
}

impl Base {
    pub fn of(weights: &Weights) -> Self {
        Self { name: weights.name.clone(), fingerprint: weights.fingerprint() }
    }
}

impl Part {
    /// The difference multiplied by `amount`.
    pub fn scaled(&self, amount: f32) -> Self {
        let times = |numbers: &[f32]| numbers.iter().map(|number| number * amount).collect();
        match self {
            Self::Sum(difference) => Self::Sum(times(difference)),
            Self::Factors { up, down, rank } => {
                Self::Factors { up: times(up), down: down.clone(), rank: *rank }
            }
        }
    }

    /// Adds the difference, multiplied by `amount`, to a tensor of `outputs` rows.
    pub fn add_to(&self, numbers: &mut [f32], outputs: usize, amount: f32) {
        match self.scaled(amount) {
            Self::Sum(difference) => super::vector::add(numbers, 1.0, &difference),
            Self::Factors { up, down, rank } => {
                let columns = numbers.len() / outputs;
                let output = MatrixMut { numbers, row: columns };
                let sizes = Sizes { rows: outputs, depth: rank, columns };
                product(
                    sizes,
                    Matrix::rows(&up, rank),
                    Matrix::rows(&down, columns),
                    output,
                    Output::Accumulate,
                );
            }
        }
    }
}

impl Personal {
    /// Whether these are the bytes of a personal model, of any version.
    pub fn is_one(bytes: &[u8]) -> bool {
        let header = SafeTensors::read_metadata(bytes).ok();
        let kind = header.and_then(|(_, header)| header.metadata().as_ref()?.get("kind").cloned());
        kind.is_some_and(|kind| kind == KIND)
    }

    /// Reads a file with untrusted contents: afterwards every part fits its tensor and is finite.
    ///
    /// # Errors
    /// Where it is no personal model, or one of another version. The error is a sentence that says what to
    /// do.
    pub fn read(bytes: &[u8]) -> Result<Self, ModelError> {
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(unreadable)?;
        let metadata = header.metadata().clone().unwrap_or_default();
        let said = |key: &str| metadata.get(key).cloned().ok_or(ModelError::NotPersonal);
        if said("kind")? != KIND {
            return Err(ModelError::NotPersonal);
        }
        if said("version")? != VERSION || said("representation")? != REPRESENTATION {
            return Err(ModelError::PersonalVersion);
        }
        let architecture = said("preset")?;
        let architecture =
            Architecture::named(&architecture).ok_or(ModelError::UnknownArchitecture(architecture))?;
        let fingerprint =
            u64::from_str_radix(&said("fingerprint")?, 16).map_err(|_| ModelError::NotPersonal)?;
        let file = SafeTensors::deserialize(bytes).map_err(unreadable)?;
        Ok(Self {
            name: said("name")?,
            base: Base { name: said("base")?, fingerprint },
            architecture,
            card: metadata.get("card").cloned().unwrap_or_default(),
            parts: parts(&file, architecture)?,
        })
    }

    /// The bytes of the file, with tensors in half precision.
    pub fn to_bytes(&self) -> Vec<u8> {
        let fingerprint = format!("{:016x}", self.base.fingerprint);
        let pairs = [
            ("kind", KIND),
            ("version", VERSION),
            ("representation", REPRESENTATION),
            ("preset", self.architecture.name()),
            ("name", &self.name),
            ("base", &self.base.name),
            ("fingerprint", &fingerprint),
            ("card", &self.card),
        ];
        let metadata: HashMap<String, String> =
            pairs.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
        let mut tensors = Vec::new();
        for (name, part) in &self.parts {
            match part {
                Part::Sum(numbers) => tensors.push((name.clone(), vec![numbers.len()], halves(numbers))),
                Part::Factors { up, down, rank } => {
                    tensors.push((format!("{name}{UP}"), vec![up.len() / rank, *rank], halves(up)));
                    tensors.push((format!("{name}{DOWN}"), vec![*rank, down.len() / rank], halves(down)));
                }
            }
        }
        let views = tensors.iter().map(|(name, shape, bytes)| {
            (name, TensorView::new(Dtype::F16, shape.clone(), bytes).expect("there are two bytes a number"))
        });
        safetensors::serialize(views, Some(metadata)).expect("views were checked")
    }

    /// The weights of its base plus the difference multiplied by `amount`: 0 is the base, 1 the whole
    /// personal model.
    ///
    /// # Errors
    /// Where these are the weights of another model.
    pub fn applied(&self, base: &Weights, amount: f32) -> Result<Weights, ModelError> {
        if Base::of(base).fingerprint != self.base.fingerprint {
            return Err(ModelError::OtherBase { base: self.base.name.clone() });
        }
        let mut weights = base.clone();
        weights.name.clone_from(&self.name);
        let shapes: HashMap<String, Vec<usize>> = self.architecture.tensors().into_iter().collect();
        for (name, part) in &self.parts {
            part.add_to(weights.numbers_mut(name), shapes[name][0], amount);
        }
        Ok(weights)
    }
}

/// Reads the part of each tensor of the architecture that the file has. All other tensors of the file are
/// left out.
fn parts(file: &SafeTensors, architecture: Architecture) -> Result<BTreeMap<String, Part>, ModelError> {
    let mut parts = BTreeMap::new();
    for (name, shape) in architecture.tensors() {
        let size: usize = shape.iter().product();
        let (up, down) = (format!("{name}{UP}"), format!("{name}{DOWN}"));
        let part = if let Ok(view) = file.tensor(&up) {
            let rank = view.shape().last().copied().filter(|rank| (1..=WIDEST).contains(rank)).unwrap_or(1);
            let outputs = shape[0];
            let up = numbers_of(file, &up, &[outputs, rank])?;
            Part::Factors { up, down: numbers_of(file, &down, &[rank, size / outputs])?, rank }
        } else if file.tensor(&name).is_ok() {
            Part::Sum(numbers_of(file, &name, &[size])?)
        } else {
            continue;
        };
        parts.insert(name, part);
    }
    Ok(parts)
}

fn halves(numbers: &[f32]) -> Vec<u8> {
    numbers.iter().flat_map(|&number| f16::from_f32(number).to_le_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::classic::CLASSIC_25;

    const PRESET: Architecture = Architecture::Classic(CLASSIC_25);

    fn base() -> Weights {
        Weights::random(PRESET, 0.1, 1)
    }

    /// A personal model in which one bias and one matrix differ.
    fn personal(base: &Weights) -> Personal {
        let shapes: HashMap<String, Vec<usize>> = PRESET.tensors().into_iter().collect();
        let shape = &shapes["pitch.weight"];
        let factors = Part::Factors { up: vec![0.5; shape[0]], down: vec![0.25; shape[1]], rank: 1 };
        let sum = Part::Sum(vec![0.5; shapes["pitch.bias"][0]]);
        let parts = [("pitch.weight".to_owned(), factors), ("pitch.bias".to_owned(), sum)];
        Personal {
            name: "mine".to_owned(),
            base: Base::of(base),
            architecture: PRESET,
            card: "files = 3\n".to_owned(),
            parts: parts.into(),
        }
    }

    #[test]
    fn a_personal_model_is_read_as_it_was_written() {
        let personal = personal(&base());
        let bytes = personal.to_bytes();
        assert!(Personal::is_one(&bytes));
        assert_eq!(Personal::read(&bytes), Ok(personal));
    }

    #[test]
    fn so_much_of_the_difference_is_added() {
        let base = base();
        let half = personal(&base).applied(&base, 0.5).expect("its base");
        let apart = |name: &str| half.numbers(name)[7] - base.numbers(name)[7];
        assert!((apart("pitch.weight") - 0.0625).abs() < 1e-6 && (apart("pitch.bias") - 0.25).abs() < 1e-6);
        assert_eq!(half.numbers("step.bias"), base.numbers("step.bias"));
        let none = personal(&base).applied(&base, 0.0).expect("its base");
        assert!(PRESET.tensors().iter().all(|(name, _)| none.numbers(name) == base.numbers(name)));
    }

    #[test]
    fn a_difference_to_another_model_is_refused_by_the_name_of_its_base() {
        let (base, other) = (base(), Weights::random(PRESET, 0.1, 2));
        let refused = personal(&base).applied(&other, 1.0).expect_err("another model");
        assert!(refused.to_string().contains("`random`"), "{refused}");
    }

    #[test]
    fn what_is_broken_is_refused() {
        let base = base();
        let mut bad = personal(&base);
        bad.parts.insert("step.bias".to_owned(), Part::Sum(vec![f32::NAN; 1]));
        assert_eq!(Personal::read(&bad.to_bytes()), Err(ModelError::NotFinite("step.bias".to_owned())));
        bad.parts.insert("step.bias".to_owned(), Part::Sum(vec![0.0; 9]));
        assert!(matches!(Personal::read(&bad.to_bytes()), Err(ModelError::Shape { .. })));
        let bytes = personal(&base).to_bytes();
        assert!((0..bytes.len()).step_by(97).all(|end| Personal::read(&bytes[..end]).is_err()));
        assert_eq!(
            Personal::read(crate::model::registry::embedded_file("classic-25").expect("it is inside")),
            Err(ModelError::NotPersonal)
        );
    }
}
