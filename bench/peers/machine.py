"""What a file of results says of the machine."""
import os
import pathlib
import platform


def about():
    model = next((line.split(":")[1].strip() for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines()
                  if line.startswith("model name")), platform.machine())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {"processor": model, "cores": len(os.sched_getaffinity(0)), "memory_gib": round(memory, 1),
            "kernel": platform.release(), "hypervisor": " hypervisor" in pathlib.Path("/proc/cpuinfo").read_text()}


def sentence(results):
    """One line of such a file's date and machine, for people."""
    of = results["machine"]
    virtual = " of a virtual machine" if of["hypervisor"] else ""
    return (f"{results['date']}: {of['cores']} cores{virtual} ({of['processor']}, {of['memory_gib']:.0f} GiB), "
            f"Linux {of['kernel'].split('-')[0]}")
