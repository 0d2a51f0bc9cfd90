#include "soak/small_disk.hpp"

#include <cerrno>
#include <system_error>

#include <fmt/format.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/statvfs.h>

namespace quarq::soak {

namespace {

/// Takes only as much memory as there is in it.
constexpr std::size_t large = std::size_t{4} << 30;

void must(int failed, const char* what) {
  if (failed != 0) throw std::system_error(errno, std::generic_category(), what);
}

std::string size_option(std::size_t bytes) {
  return fmt::format("size={}", bytes);
}

}  // namespace

// In a namespace of its own it goes with the last of its processes, however they end.
small_disk::small_disk(std::string folder) : folder_(std::move(folder)) {
  must(unshare(CLONE_NEWNS), "no mount namespace");
  must(mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr), "no private mounts");
  must(mount("quarq-soak", folder_.c_str(), "tmpfs", MS_NOSUID | MS_NODEV, size_option(large).c_str()),
       "no tmpfs");
}

small_disk::~small_disk() {
  umount2(folder_.c_str(), MNT_DETACH);
}

bool small_disk::fill(std::size_t bytes) {
  for (int attempts = 0; attempts < 10; ++attempts) {
    struct statvfs now{};
    if (statvfs(folder_.c_str(), &now) != 0) return false;
    // It is refused when more has been written since.
    if (resize((now.f_blocks - now.f_bfree) * now.f_frsize + bytes)) return true;
  }
  return false;
}

void small_disk::make_room() {
  resize(large);
}

bool small_disk::resize(std::size_t bytes) const {
  return mount("quarq-soak", folder_.c_str(), "tmpfs", MS_REMOUNT | MS_NOSUID | MS_NODEV,
               size_option(bytes).c_str()) == 0;
}

}  // namespace quarq::soak
