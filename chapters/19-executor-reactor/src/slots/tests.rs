use super::*;

#[test]
fn insert_gives_every_value_a_name_of_its_own() {
    let mut slots = Slots::default();
    let tokens = ["a", "b", "c"].map(|value| slots.insert(value));
    assert_eq!(slots.len(), 3);
    for (token, value) in tokens.into_iter().zip(["a", "b", "c"]) {
        assert_eq!(slots.get_mut(token).copied(), Some(value));
    }
}

#[test]
fn names_are_not_used_again() {
    let mut slots = Slots::default();
    let first = slots.insert("first");
    assert_eq!(slots.remove(first), Some("first"));
    assert!(slots.is_empty());
    let second = slots.insert("second");
    assert_eq!(
        second.place, first.place,
        "a free place is used before a new one is made"
    );
    assert_ne!(second, first, "the place is the same, and the name isn't");
    assert_eq!(
        slots.get_mut(first),
        None,
        "whoever had the name has left: its place has someone else now, who isn't \
         meant"
    );
    assert_eq!(slots.remove(first), None, "and can't leave twice");
    assert_eq!(slots.get_mut(second).copied(), Some("second"));
    assert_eq!(slots.len(), 1);
}

#[test]
fn a_free_place_has_no_one() {
    let mut slots = Slots::default();
    let token = slots.insert(1);
    slots.remove(token);
    let next = Token {
        generation: token.generation + 1,
        ..token
    };
    assert_eq!(slots.get_mut(next), None, "the place is free");
    let beyond = Token {
        place: 7,
        generation: 0,
    };
    assert_eq!(slots.get_mut(beyond), None, "there's no such place");
}

#[test]
fn places_are_used_again() {
    let mut slots = Slots::default();
    for round in 0..1_000 {
        let tokens = [(); 3].map(|()| slots.insert(round));
        for token in tokens {
            assert_eq!(slots.remove(token), Some(round));
        }
    }
    assert_eq!(slots.slots.len(), 3, "three at once need three places");
}

#[test]
fn a_token_is_a_number_and_comes_back() {
    for (place, generation) in [(0, 0), (1, 0), (0, 1), (u32::MAX, 7), (7, u32::MAX)]
    {
        let token = Token { place, generation };
        assert_eq!(Token::from(u64::from(token)), token);
    }
}

#[test]
fn next_token_is_that_of_the_next_value() {
    let mut slots = Slots::default();
    let next = slots.next_token();
    let first = slots.insert('a');
    assert_eq!(next, first, "in a new place");
    let second = slots.next_token();
    assert_eq!(slots.insert('b'), second, "in another one");
    slots.remove(first);
    let again = slots.next_token();
    assert_ne!(again, first, "a name isn't used again");
    assert_eq!(slots.insert('c'), again, "in a place that was left");
}
