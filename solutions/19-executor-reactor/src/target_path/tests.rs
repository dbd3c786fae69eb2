use super::*;

fn status<T>(result: Result<T, Refusal>) -> u16 {
    result.map_or_else(|refusal| refusal.status, |_| 200)
}

#[test]
fn decode_leaves_other_characters_alone() {
    assert_eq!(decode(""), Ok(String::new()));
    assert_eq!(decode("a+b~c.txt").as_deref(), Ok("a+b~c.txt"));
}

#[test]
fn decode_makes_one_byte_of_a_percent_sign_and_two_digits() {
    assert_eq!(decode("a%20b").as_deref(), Ok("a b"));
    assert_eq!(decode("%2e%2E").as_deref(), Ok(".."));
    assert_eq!(decode("%C5%BC%c3%b3").as_deref(), Ok("żó"));
}

#[test]
fn decode_decodes_once() {
    assert_eq!(decode("100%25").as_deref(), Ok("100%"));
    assert_eq!(decode("%2541").as_deref(), Ok("%41"));
}

#[test]
fn decode_refuses_what_is_malformed() {
    for segment in ["%", "a%4", "%zz", "%4g", "%+1", "% 1", "%é"] {
        let outcome = decode(segment);
        let shown = format!("decode({segment:?}) is {outcome:?}");
        assert_eq!(status(outcome), 400, "{shown}");
    }
}

#[test]
fn decode_refuses_nul_and_what_is_not_utf_8() {
    for (segment, wanted) in [("a%00b", 400), ("%ff%fe", 404), ("%c0%ae", 404)] {
        let outcome = decode(segment);
        let shown = format!("decode({segment:?}) is {outcome:?}");
        assert_eq!(status(outcome), wanted, "{shown}");
    }
}

#[test]
fn is_ordinary_accepts_one_name() {
    for name in ["a.txt", "..a", "a..", "a b", "%2e", ".profile", "żółw"] {
        assert!(is_ordinary(name), "{name:?} is one name, and was refused");
    }
}

#[test]
fn is_ordinary_refuses_what_leads_elsewhere() {
    for name in [
        "..", ".", "", "a/b", "a/", "/", "/etc", "../a", "a/.", "./a",
    ] {
        assert!(!is_ordinary(name), "{name:?} was taken for one name");
    }
}

#[test]
#[cfg(unix)]
fn is_ordinary_accepts_what_means_nothing_here() {
    for name in ["a:b", r"a\b"] {
        assert!(is_ordinary(name), "{name:?} is one name here");
    }
}

#[test]
#[cfg(windows)]
fn is_ordinary_refuses_drives_streams_and_backslashes() {
    for name in ["C:", "C:a", "a.txt::$DATA", r"a\b", r"\\host", r"..\a"] {
        assert!(!is_ordinary(name), "{name:?} was taken for one name");
    }
}

#[test]
fn names_splits_before_anything_else() {
    let wanted = ["a b", "c"].map(str::to_owned);
    assert_eq!(names("/a%20b/c"), Ok(wanted.to_vec()));
    assert_eq!(names("//a%20b/./c/"), Ok(wanted.to_vec()));
}

#[test]
fn names_are_none_for_the_root() {
    for path in ["/", "//", "/./", "/%2e"] {
        assert_eq!(names(path), Ok(Vec::new()), "names({path:?})");
    }
}

#[test]
fn names_refuses_what_leads_elsewhere() {
    for path in ["/..", "/a/../b", "/%2e%2e/a", "/.%2E", "/a%2fb", "/%2fetc"] {
        let outcome = names(path);
        let shown = format!("names({path:?}) is {outcome:?}");
        assert_eq!(status(outcome), 404, "{shown}");
    }
}

#[test]
fn a_target_is_a_path_or_a_url() {
    assert_eq!(path_and_query("/a?b?c"), Ok(("/a", "?b?c")));
    assert_eq!(path_and_query("http://host/a?b"), Ok(("/a", "?b")));
    assert_eq!(path_and_query("HTTPS://host:1"), Ok(("/", "")));
    assert_eq!(path_and_query("http://host?/a"), Ok(("/", "?/a")));
    for target in [
        "a",
        "*",
        "",
        "host:1",
        "http:///a",
        "file://host/a",
        "http://a:80:80/",
        "http://a@b/",
    ] {
        assert_eq!(status(path_and_query(target)), 400, "{target:?}");
    }
}

#[test]
fn a_folder_s_address_is_encoded_and_keeps_the_query() {
    let target = Target {
        names: ["a b\r\nC: d", "é"].map(str::to_owned).to_vec(),
        names_a_folder: false,
        query: "?q".to_owned(),
    };
    assert_eq!(target.folder_address(), "/a%20b%0D%0AC%3A%20d/%C3%A9/?q");
}

#[test]
fn a_folder_is_named_by_its_last_segment() {
    for target in ["/", "/a/", "/a/.", "/a/%2E", "/a//", "/a/?q", "http://a"] {
        let target = Target::parse(target).expect(target);
        assert!(target.names_a_folder(), "{target:?}");
    }
    for target in ["/a", "/a.", "/./a", "/a?/", "/a%20"] {
        let target = Target::parse(target).expect(target);
        assert!(!target.names_a_folder(), "{target:?}");
    }
}

#[test]
fn one_path_has_one_meaning_however_it_is_spelled() {
    for target in [
        "http://a/app/a?q",
        "HTTPS://[::1]:1/app/a?q",
        "/%61pp/%61?q",
        "//app/./a?q",
    ] {
        assert_eq!(Target::parse(target), Target::parse("/app/a?q"), "{target}");
    }
}
