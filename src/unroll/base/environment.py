"""What decides how a machine rounds sums: its instruction sets, its devices, the build of PyTorch."""

import platform
import re
from pathlib import Path
from typing import Any

KERNELS = re.compile(r"(avx|fma|f16c|sse4|amx|asimd|neon|sve|bf16|i8mm)\w*")      # instruction sets kernels choose by


def environment(accelerator: str) -> dict[str, Any]:
    """This machine's environment, equal on machines that should train the same bytes."""
    import torch

    gpu = accelerator != "cpu" and torch.cuda.is_available()
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "python": ".".join(platform.python_version_tuple()[:2]),
        "torch": torch.__version__,
        "processor": processor(Path("/proc/cpuinfo")),
        "kernels": torch.backends.cpu.get_cpu_capability(),
        "gpu": torch.cuda.get_device_name() if gpu else None,
        "cuda": torch.version.cuda if gpu else None,
        "cudnn": torch.backends.cudnn.version() if gpu else None,   # type: ignore[no-untyped-call]
    }


def processor(cpuinfo: Path) -> dict[str, str]:
    """Maker and instruction sets of the first processor in Linux's list; empty on other systems."""
    if not cpuinfo.is_file():
        return {}
    lines = (line.partition(":") for line in cpuinfo.read_text(encoding="utf-8").split("\n\n")[0].splitlines())
    fields = {name.strip(): value.strip() for name, _, value in lines}
    flags = fields.get("flags") or fields.get("Features") or ""
    return {
        "maker": fields.get("vendor_id") or fields.get("CPU implementer") or "",
        "instructions": " ".join(sorted(flag for flag in flags.split() if KERNELS.fullmatch(flag))),
    }


def differences(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """The differences between two environments, one line for each."""
    found = []
    for name in sorted({*before, *now}):
        old, new = before.get(name), now.get(name)
        if isinstance(old, dict) and isinstance(new, dict):
            found += [f"{name} {line}" for line in differences(old, new)]
        elif name == "instructions":
            before_only, now_only = ({*str(a).split()} - {*str(b).split()} for a, b in ((old, new), (new, old)))
            found += [f"{verb} {' '.join(sorted(flags))}"
                      for verb, flags in (("lacks", before_only), ("has", now_only)) if flags]
        elif old != new:
            found.append(f"{name}: {old} there, {new} here")
    return found
