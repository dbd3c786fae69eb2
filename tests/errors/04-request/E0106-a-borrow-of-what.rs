struct Request {
    target: &str,
}

fn main() {
    let head = "GET / HTTP/1.1".to_owned();
    let request = Request { target: &head[4..5] };
    println!("{}", request.target);
}
