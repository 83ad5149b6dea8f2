use std::collections::HashMap;

use proptest::prelude::*;
use rand::{RngExt, SeedableRng};
use safetensors::tensor::TensorView;

use super::*;
use crate::model::{
    Limits, Rng, SamplingSettings,
    registry::{load, read},
};

impl Weights {
    /// Random weights of an architecture within ±`size`.
    pub fn random(architecture: Architecture, size: f32, seed: u64) -> Self {
        let mut rng = Rng::seed_from_u64(seed);
        let mut numbers =
            |shape: Vec<usize>| (0..shape.iter().product()).map(|_| rng.random_range(-size..size)).collect();
        let tensors =
            architecture.tensors().into_iter().map(|(name, shape)| (name, numbers(shape))).collect();
        Self { name: "random".to_owned(), architecture, tensors }
    }

    pub fn change(&mut self, name: &str, change: impl Fn(&mut [f32])) {
        change(self.tensors.get_mut(name).expect("a tensor of the preset"));
    }
}

/// The bytes of a complete file with small numbers, which `change` alters before it is written.
fn file(
    change: impl Fn(&mut BTreeMap<String, (Vec<usize>, Vec<f32>)>, &mut HashMap<String, String>),
) -> Vec<u8> {
    file_of("classic-25", change)
}

fn file_of(
    architecture: &str,
    change: impl Fn(&mut BTreeMap<String, (Vec<usize>, Vec<f32>)>, &mut HashMap<String, String>),
) -> Vec<u8> {
    let architecture = Architecture::named(architecture).expect("a preset");
    let numbers = |shape: &[usize]| vec![0.01; shape.iter().product()];
    let mut tensors: BTreeMap<_, _> = architecture
        .tensors()
        .into_iter()
        .map(|(name, shape)| (name, (shape.clone(), numbers(&shape))))
        .collect();
    let pairs = [("preset", architecture.name()), ("representation", REPRESENTATION), ("name", "of mine")];
    let mut metadata = pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
    change(&mut tensors, &mut metadata);
    let bytes: BTreeMap<_, (Vec<usize>, Vec<u8>)> = tensors
        .into_iter()
        .map(|(name, (shape, numbers))| {
            (name, (shape, numbers.iter().flat_map(|x| x.to_le_bytes()).collect()))
        })
        .collect();
    let views = bytes.iter().map(|(name, (shape, bytes))| {
        (name, TensorView::new(Dtype::F32, shape.clone(), bytes).expect("sizes fit"))
    });
    safetensors::serialize(views, Some(metadata)).expect("views fit")
}

/// The bytes of a complete file in half precision, with its numbers multiplied by `factor`.
fn halved(factor: f32) -> Vec<u8> {
    let whole = file(|_, _| ());
    let (_, header) = SafeTensors::read_metadata(&whole).expect("complete");
    let file = SafeTensors::deserialize(&whole).expect("complete");
    let bytes: Vec<(String, Vec<usize>, Vec<u8>)> = file
        .iter()
        .map(|(name, view)| {
            let numbers = view.data().as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes) * factor);
            let halves = numbers.flat_map(|number| f16::from_f32(number).to_le_bytes()).collect();
            (name.to_owned(), view.shape().to_vec(), halves)
        })
        .collect();
    let views = bytes.iter().map(|(name, shape, bytes)| {
        (name, TensorView::new(Dtype::F16, shape.clone(), bytes).expect("sizes fit"))
    });
    safetensors::serialize(views, header.metadata().clone()).expect("views fit")
}

fn error(bytes: &[u8]) -> ModelError {
    load(bytes).err().expect("the file is broken")
}

#[test]
fn a_complete_file_loads_under_the_name_it_gives_itself() {
    assert_eq!(load(&file(|_, _| ())).expect("complete").name(), "of mine");
}

#[test]
fn every_preset_loads() {
    for architecture in Architecture::ALL {
        assert_eq!(load(&file_of(architecture.name(), |_, _| ())).expect("complete").name(), "of mine");
    }
}

#[test]
fn weights_of_half_precision_are_the_nearest_to_the_whole_ones() {
    let whole = read(&file(|_, _| ())).expect("complete");
    let half = read(&halved(1.0)).expect("complete");
    assert_eq!(half.numbers("pitch.weight")[5], f16::from_f32(0.01).to_f32());
    assert_eq!(half.numbers("pitch.weight").len(), whole.numbers("pitch.weight").len());
}

#[test]
fn weights_of_half_precision_that_are_not_finite_are_refused() {
    assert!(matches!(error(&halved(f32::INFINITY)), ModelError::NotFinite(_)));
}

#[test]
fn a_file_that_was_cut_anywhere_is_refused() {
    let whole = file(|_, _| ());
    for length in [0, 1, 7, 8, 100, whole.len() / 2, whole.len() - 1] {
        assert_eq!(error(&whole[..length]), ModelError::Cut, "{length}");
    }
}

#[test]
fn what_is_not_safetensors_is_refused() {
    assert_eq!(error(b"MThd\x00\x00\x00\x06\x00\x01\x00\x01\x00\x60MTrk"), ModelError::NotSafetensors);
}

#[test]
fn safetensors_of_somebody_else_are_refused() {
    assert_eq!(error(&file(|_, metadata| metadata.clear())), ModelError::NotOurs);
}

#[test]
fn an_unknown_preset_is_refused_by_its_name() {
    let bytes = file(|_, metadata| _ = metadata.insert("preset".into(), "baroque".into()));
    assert_eq!(error(&bytes), ModelError::UnknownArchitecture("baroque".into()));
    assert!(error(&bytes).to_string().contains("classic-25, classic-150"));
}

#[test]
fn another_representation_is_refused_by_its_version() {
    let bytes = file(|_, metadata| _ = metadata.insert("representation".into(), "7".into()));
    assert_eq!(error(&bytes), ModelError::Representation { found: "7".into() });
}

#[test]
fn a_missing_tensor_is_refused_by_its_name() {
    let bytes = file(|tensors, _| _ = tensors.remove("lstm.0.bias"));
    assert_eq!(error(&bytes), ModelError::Missing("lstm.0.bias".into()));
}

#[test]
fn a_tensor_of_another_shape_is_refused_by_its_name() {
    let bytes = file(|tensors, _| _ = tensors.insert("step.bias".into(), (vec![2], vec![0.0; 2])));
    assert!(matches!(error(&bytes), ModelError::Shape { name, .. } if name == "step.bias"));
}

#[test]
fn weights_that_are_not_finite_are_refused_by_their_name() {
    for poison in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let bytes = file(|tensors, _| {
            tensors.get_mut("pitch.weight").expect("there").1[17] = poison;
        });
        assert_eq!(error(&bytes), ModelError::NotFinite("pitch.weight".into()));
    }
}

proptest! {
    #[test]
    fn no_bytes_make_the_loader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(load(&bytes).is_err());
    }

    #[test]
    fn no_damage_makes_the_loader_panic(place in 0..2000usize, byte: u8) {
        let mut bytes = file(|_, _| ());
        bytes[place] = byte;
        if let Ok(model) = load(&bytes) {
            let mut state = model.initial_state();
            let note = model.draw(
                &mut state,
                &SamplingSettings::PLAIN,
                &Limits::NONE,
                &mut Rng::seed_from_u64(1),
            );
            prop_assert!(note.step.0.is_finite() && note.duration.0.is_finite());
        }
    }
}
