use std::ffi::c_int;

unsafe extern "C" {
    fn signal(number: c_int, handler: extern "C" fn(c_int)) -> usize;
}

extern "C" fn on_signal(_number: c_int) {}

// ANCHOR: wrong
fn main() {
    signal(2, on_signal);
}
// ANCHOR_END: wrong
