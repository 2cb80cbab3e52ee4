//! What an Android app has to do once: the system's certificate verifier is asked through the app's virtual machine.
//!
//! Not in the header, which is the same on every platform: the JNI layer of `bindings/kotlin` declares it.

use jni::{
    objects::JObject,
    sys::{jobject, JNIEnv},
    EnvUnowned, Outcome,
};

use super::{guard::guard, types::im_status};
use crate::client::{Failed, Status};

/// Initialises the certificate verifier with the app's `android.content.Context`; later calls do nothing. Before the first
/// client that uses TLS. `IM_ERROR_SYSTEM` where the machine refuses; its exception was cleared.
///
/// # Safety
/// `env` is the JNI environment of this thread, `context` a reference that is valid in it.
#[no_mangle]
pub unsafe extern "C" fn im_android_init(env: *mut JNIEnv, context: jobject) -> im_status {
    guard(|| {
        if env.is_null() || context.is_null() {
            return Err(Failed::new(
                Status::InvalidArgument,
                "the arguments \"env\" and \"context\" may not be NULL",
            ));
        }
        // SAFETY: by this function's contract.
        let mut frame = unsafe { EnvUnowned::from_raw(env) };
        let outcome = frame.with_env(|env| {
            // SAFETY: by this function's contract.
            let context = unsafe { JObject::from_raw(env, context) };
            rustls_platform_verifier::android::init_with_env(env, context)
                .inspect_err(|_| env.exception_clear())
        });
        match outcome.into_outcome() {
            Outcome::Ok(()) => Ok(Status::Ok as im_status),
            Outcome::Err(error) => {
                Err(Failed::new(Status::System, format!("the certificate verifier has not started: {error}")))
            }
            Outcome::Panic(panic) => std::panic::resume_unwind(panic),
        }
    })
}
