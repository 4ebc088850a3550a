//! The axes of the `qemu` suite, each one enum.
//!
//! The semantics of the values are those of QEMU's QAPI schema (`qapi/migration.json`) and of
//! `docs/devel/migration/`. The families are those of QEMU's own `migration-test`.

use crate::axis::axis;

axis! {
    /// How the guest's state is moved: postcopy is asked for while precopy runs; the others are the
    /// values of the parameter `mode` (`MigMode`).
    Method, "method" {
        /// Memory first, while the guest runs; then the switchover.
        Precopy = "precopy",
        /// The switchover first; then memory, on request (`migrate-start-postcopy`).
        Postcopy = "postcopy",
        /// `cpr-reboot`: through a file, memory in place if it is shared.
        CprReboot = "cpr-reboot",
        /// `cpr-transfer`: to a new process on the same machine, memory and descriptors handed over.
        CprTransfer = "cpr-transfer",
        /// `cpr-exec`: the process replaces itself.
        CprExec = "cpr-exec",
    }
}

axis! {
    /// What carries the stream.
    Transport, "transport" {
        /// A UNIX socket (`unix:`).
        Unix = "unix",
        /// TCP on the loopback interface (`tcp:`).
        Tcp = "tcp",
        /// An inherited socket, handed over by `getfd` (`fd:`).
        Fd = "fd",
        /// An open file, handed over by `getfd` (`fd:`).
        FdFile = "fd-file",
        /// A file by its name (`file:`).
        File = "file",
        /// A file by its name, from an offset on (`file:…,offset=`).
        FileOffset = "file-offset",
        /// A file in a set of descriptors (`file:/dev/fdset/…,offset=`).
        FileFdset = "file-fdset",
        /// A command's standard output and input (`exec:`), with a file between the two commands.
        Exec = "exec",
    }
}

axis! {
    /// How the address is given to `migrate` and `migrate-incoming`.
    Address, "address" {
        /// As `uri`.
        Uri = "uri",
        /// As `channels`.
        Channels = "channels",
        /// As both: to be refused.
        Both = "both-addresses",
        /// As neither: to be refused.
        Neither = "no-address",
    }
}

axis! {
    /// What the guest does when the migration is asked for.
    GuestState, "guest" {
        /// Its processors run: its heartbeat advances.
        Running = "running",
        /// It was stopped (`stop`): it is still.
        Stopped = "stopped",
        /// It is in ACPI S3, and the machine runs.
        Suspended = "suspended",
        /// It is in ACPI S3, and the machine was stopped.
        SuspendedStopped = "suspended-stopped",
    }
}

axis! {
    /// Whether memory goes over several channels, and how it is compressed there
    /// (`multifd`, `multifd-compression`).
    Multifd, "multifd" {
        /// One channel.
        Off = "single",
        /// Several, uncompressed.
        Plain = "multifd",
        /// Several, each with zlib.
        Zlib = "multifd-zlib",
        /// Several, each with zstd.
        Zstd = "multifd-zstd",
    }
}

axis! {
    /// How many channels multifd has (`multifd-channels`).
    Channels, "channels" {
        /// QEMU's own number.
        Two = "2-channels",
        /// A single one.
        One = "1-channel",
        /// Four.
        Four = "4-channels",
        /// Eight.
        Eight = "8-channels",
        /// Sixteen.
        Sixteen = "16-channels",
    }
}

axis! {
    /// Who looks for pages of zeroes (`zero-page-detection`).
    ZeroPage, "zero-page" {
        /// Whoever does it by default in this release.
        Usual = "zero-page-usual",
        /// Nobody: such pages are sent as they are.
        None = "zero-page-none",
        /// The migration thread.
        Legacy = "zero-page-legacy",
        /// The multifd threads.
        Multifd = "zero-page-multifd",
    }
}

axis! {
    /// Whether and how the stream is encrypted, and what is wrong with it (`tls-creds`).
    Tls, "tls" {
        /// Not.
        None = "plain-text",
        /// With a pre-shared key that both sides have.
        Psk = "psk",
        /// With two different pre-shared keys.
        PskMismatch = "psk-mismatch",
        /// With certificates; the server's name is the address that it is reached by.
        X509 = "x509",
        /// With certificates; the server's name is another one, and is named by `tls-hostname`.
        X509OverrideHost = "x509-override-host",
        /// With certificates; the server's name is another one, and nothing names it.
        X509MismatchHost = "x509-mismatch-host",
        /// With certificates; the server admits this client by `tls-authz`.
        X509FriendlyClient = "x509-friendly-client",
        /// With certificates; the server admits other clients by `tls-authz`.
        X509HostileClient = "x509-hostile-client",
        /// The client has no certificate, and the server asks for none.
        X509AllowAnonymous = "x509-allow-anonymous",
        /// The client has no certificate, and the server asks for one.
        X509RejectAnonymous = "x509-reject-anonymous",
    }
}

axis! {
    /// The machines' UUIDs.
    Uuids, "uuids" {
        /// Both have the same.
        Same = "uuid-same",
        /// They differ.
        Mismatch = "uuid-mismatch",
        /// Only the destination has one.
        SourceUnset = "uuid-source-unset",
        /// Only the source has one.
        DestinationUnset = "uuid-destination-unset",
    }
}

axis! {
    /// What happens to the migration on its way.
    Incident, "incident" {
        /// Nothing.
        None = "undisturbed",
        /// It is cancelled before it is asked for, and then asked for.
        CancelBefore = "cancel-none",
        /// It is cancelled in the state `setup`.
        CancelSetup = "cancel-setup",
        /// It is cancelled in the state `active`.
        CancelActive = "cancel-active",
        /// It is cancelled in the state `pre-switchover`.
        CancelPreSwitchover = "cancel-pre-switchover",
        /// It is cancelled again in the state `cancelling`.
        CancelCancelling = "cancel-cancelling",
        /// It is cancelled again in the state `cancelled`.
        CancelCancelled = "cancel-cancelled",
        /// It is cancelled in the state `completed`.
        CancelCompleted = "cancel-completed",
        /// It is cancelled in the state `failed`.
        CancelFailed = "cancel-failed",
        /// It is cancelled, and another one to a new destination completes.
        CancelRetry = "cancel-retry",
        /// Nobody listens at the address.
        BadDestination = "bad-destination",
        /// The offset is no number.
        BadOffset = "bad-offset",
        /// Postcopy's connection is lost, and recovered.
        Recover = "recover",
        /// As `Recover`, and the first recovery is lost in its handshake.
        FailHandshake = "fail-handshake",
        /// As `Recover`, and the first recovery can't connect.
        FailReconnect = "fail-reconnect",
        /// The connection is lost in the state `active`.
        LoseActive = "lose-active",
        /// The connection is lost in the state `pre-switchover`.
        LosePreSwitchover = "lose-pre-switchover",
        /// As `LoseActive`, and another one to a new destination completes.
        LoseRetry = "lose-retry",
        /// The destination's QEMU is killed in the state `active`.
        KillActive = "kill-active",
        /// The destination's QEMU is killed in the state `pre-switchover`.
        KillPreSwitchover = "kill-pre-switchover",
        /// As `KillActive`, and another one to a new destination completes.
        KillRetry = "kill-retry",
        /// The destination's QEMU is held still in the state `active`, until nothing is sent any more.
        HoldActive = "hold-active",
    }
}

axis! {
    /// Which machine type of those that both releases have.
    MachineChoice, "machine" {
        /// The newest `pc-q35`.
        Q35 = "q35",
        /// The oldest `pc-q35`.
        Q35Oldest = "q35-oldest",
        /// The newest `pc-i440fx`.
        Pc = "pc",
        /// The oldest `pc-i440fx`.
        PcOldest = "pc-oldest",
    }
}

axis! {
    /// What runs the guest's processors.
    Accelerator, "accelerator" {
        /// TCG, which is everywhere.
        Tcg = "tcg",
        /// TCG, with a guest that never has it forget its translations: what it writes is seen by
        /// QEMU's own tracking of dirty pages only.
        TcgUnflushed = "tcg-unflushed",
        /// KVM.
        Kvm = "kvm",
        /// KVM with a dirty ring instead of bitmaps.
        KvmDirtyRing = "kvm-dirty-ring",
    }
}

axis! {
    /// Which model the guest's processors are of (`-cpu`), on both sides.
    CpuModel, "cpu", kind "CPU model" {
        /// The machine type's own.
        Default = "cpu-default",
        /// `max`: all that the QEMU and its accelerator have.
        Max = "cpu-max",
        /// `Nehalem`, of which TCG has every feature in each release.
        Nehalem = "cpu-nehalem",
    }
}

impl CpuModel {
    /// What `-cpu` is told; nothing where the machine type chooses.
    pub(crate) const fn argument(self) -> Option<&'static str> {
        match self {
            Self::Default => None,
            Self::Max => Some("max"),
            Self::Nehalem => Some("Nehalem"),
        }
    }
}

axis! {
    /// Which devices the machine has besides its own. A device `in-use` has been set up by its driver
    /// and has done work before the migration, and does more after it.
    Devices, "devices" {
        /// None.
        None = "no-devices",
        /// `virtio-blk-pci`, idle.
        VirtioBlk = "virtio-blk",
        /// `virtio-blk-pci`, in use.
        VirtioBlkInUse = "virtio-blk-in-use",
        /// `virtio-net-pci`, idle.
        VirtioNet = "virtio-net",
        /// `virtio-net-pci`, in use.
        VirtioNetInUse = "virtio-net-in-use",
        /// `virtio-scsi-pci` with a disk, idle.
        VirtioScsi = "virtio-scsi",
        /// `virtio-scsi-pci` with a disk, in use.
        VirtioScsiInUse = "virtio-scsi-in-use",
        /// `virtio-rng-pci`, idle.
        VirtioRng = "virtio-rng",
        /// `virtio-rng-pci`, in use.
        VirtioRngInUse = "virtio-rng-in-use",
        /// `virtio-balloon-pci`, idle.
        VirtioBalloon = "virtio-balloon",
        /// `virtio-balloon-pci`, in use.
        VirtioBalloonInUse = "virtio-balloon-in-use",
        /// `virtio-serial-pci` with a port, idle.
        VirtioSerial = "virtio-serial",
        /// `virtio-serial-pci` with a port, in use.
        VirtioSerialInUse = "virtio-serial-in-use",
        /// `virtio-gpu-pci`.
        VirtioGpu = "virtio-gpu",
        /// `virtio-keyboard-pci`, `virtio-mouse-pci` and `virtio-tablet-pci`.
        VirtioInput = "virtio-input",
        /// `e1000e`.
        E1000e = "e1000e",
        /// `e1000`.
        E1000 = "e1000",
        /// `rtl8139`.
        Rtl8139 = "rtl8139",
        /// `vmxnet3`.
        Vmxnet3 = "vmxnet3",
        /// `qemu-xhci` with a tablet.
        Xhci = "xhci",
        /// `usb-ehci` with a tablet.
        Ehci = "ehci",
        /// `nvme` with a disk.
        Nvme = "nvme",
        /// `ich9-ahci` with a disk.
        Ahci = "ahci",
        /// `lsi53c895a` with a disk.
        Lsi = "lsi",
        /// `megasas` with a disk.
        Megasas = "megasas",
        /// `VGA`.
        Vga = "vga",
        /// `intel-hda` with a codec.
        IntelHda = "intel-hda",
        /// The watchdog `i6300esb`.
        Watchdog = "i6300esb",
        /// `pvpanic`.
        Pvpanic = "pvpanic",
        /// All virtio devices at once.
        AllVirtio = "all-virtio",
    }
}

axis! {
    /// A capability, or a parameter that works like one.
    Feature, "feature" {
        /// `xbzrle`: a page that was sent before is sent as its difference.
        Xbzrle = "xbzrle",
        /// `auto-converge`: the guest is throttled until it converges.
        AutoConverge = "auto-converge",
        /// `dirty-limit`: processors are throttled by what each dirties.
        DirtyLimit = "dirty-limit",
        /// `return-path`: the destination can answer.
        ReturnPath = "return-path",
        /// `switchover-ack`: the destination says when it is ready.
        SwitchoverAck = "switchover-ack",
        /// `pause-before-switchover`: it waits for `migrate-continue`.
        PauseBeforeSwitchover = "pause-before-switchover",
        /// `validate-uuid`: the UUIDs must be the same.
        ValidateUuid = "validate-uuid",
        /// `x-ignore-shared`: shared memory stays where it is.
        IgnoreShared = "ignore-shared",
        /// `mapped-ram`: each page has its place in the file.
        MappedRam = "mapped-ram",
        /// `postcopy-preempt`: requested pages have a channel of their own.
        PostcopyPreempt = "postcopy-preempt",
        /// `postcopy-ram`, which is never asked for: precopy completes.
        PostcopyReady = "postcopy-ready",
        /// The parameter `direct-io`: past the page cache.
        DirectIo = "direct-io",
    }
}
