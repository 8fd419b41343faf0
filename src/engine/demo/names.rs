//! Names of people who do not exist.

const FIRST: [&str; 40] = [
    "Ada", "Bruno", "Carla", "Dario", "Edda", "Farid", "Greta", "Hiro", "Ines", "Jonas", "Kira", "Luca", "Mira",
    "Nils", "Olga", "Pablo", "Quinn", "Rosa", "Sami", "Tara", "Ugo", "Vera", "Wim", "Xenia", "Yara", "Zeno", "Aiko",
    "Bela", "Chidi", "Dalia", "Emre", "Freya", "Goran", "Hana", "Ivo", "Juno", "Kofi", "Leila", "Milo", "Noor",
];

const LAST: [&str; 40] = [
    "Ashgrove",
    "Birchall",
    "Cedarson",
    "Dogwood",
    "Elmstead",
    "Figueira",
    "Ginkgo",
    "Hazelton",
    "Ironbark",
    "Junipero",
    "Kauri",
    "Larch",
    "Mapleton",
    "Nutmeg",
    "Oakley",
    "Pinewood",
    "Quince",
    "Rowan",
    "Sycamore",
    "Teakwood",
    "Umbu",
    "Viburnum",
    "Willowby",
    "Yewdale",
    "Zelkova",
    "Alderman",
    "Baobab",
    "Cypress",
    "Durian",
    "Ebonwood",
    "Firth",
    "Gumtree",
    "Hawthorn",
    "Ilex",
    "Jacaranda",
    "Kapok",
    "Linden",
    "Mahogany",
    "Neem",
    "Olivet",
];

/// The name of a person by their number: 1,600 different ones before the first comes again, with a numeral.
pub(super) fn name(person: u32) -> String {
    let (first, last) = (person as usize % FIRST.len(), (person as usize / FIRST.len() + person as usize) % LAST.len());
    match person as usize / (FIRST.len() * LAST.len()) {
        0 => format!("{} {}", FIRST[first], LAST[last]),
        again => format!("{} {} {}", FIRST[first], LAST[last], again + 1),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_two_people_have_one_name() {
        let names: HashSet<String> = (0..5_000).map(name).collect();
        assert_eq!(names.len(), 5_000);
        assert_eq!(name(0), "Ada Ashgrove");
    }
}
