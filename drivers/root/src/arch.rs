//! What of a root's layout is its architecture's own.

use migratrix_matrix::Arch;

/// Where a root has what is of its architecture.
#[derive(Debug)]
pub(crate) struct Layout {
    /// Where its QEMU can be.
    pub qemus: [&'static str; 2],
    /// Where its libraries are: Debian's places, and then those of others.
    pub libraries: [&'static str; 4],
    /// The file of the loader, in one of these.
    pub loader: &'static str,
}

/// The layout of the roots of an architecture.
pub(crate) const fn layout(arch: Arch) -> Layout {
    match arch {
        Arch::X86_64 => Layout {
            qemus: ["/usr/bin/qemu-system-x86_64", "/usr/libexec/qemu-kvm"],
            libraries: [
                "usr/lib/x86_64-linux-gnu",
                "lib/x86_64-linux-gnu",
                "usr/lib64",
                "lib64",
            ],
            loader: "ld-linux-x86-64.so.2",
        },
    }
}
