#include "processes/shared_memory.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <quarq/errors.hpp>

#include "processes/memory_file.hpp"

namespace quarq::processes {

namespace {

constexpr std::size_t alignment = 64;
constexpr std::size_t granule = std::size_t{1} << 20;

[[noreturn]] void fail(const char* what) {
  throw error(std::string("shared memory for a big value: ") + what + ": " + std::strerror(errno));
}

}  // namespace

// ---- mapping

mapping::~mapping() {
  if (data_) munmap(data_, size_);
}

void mapping::extend(int descriptor, std::size_t size, bool writable) {
  if (size <= size_) return;
  void* at = MAP_FAILED;
  if (data_) {
    at = mremap(data_, size_, size, MREMAP_MAYMOVE);
  } else {
    at = mmap(nullptr, size, writable ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED, descriptor, 0);
  }
  if (at == MAP_FAILED) fail("mmap");
  data_ = static_cast<char*>(at);
  size_ = size;
}

// ---- shared_memory_writer

std::uint64_t shared_memory_writer::add(std::string_view data) {
  const std::size_t offset = used_;
  const std::size_t end = offset + data.size();
  if (end > mapping_.size()) grow(end);
  std::memcpy(mapping_.data() + offset, data.data(), data.size());
  used_ = (end + alignment - 1) / alignment * alignment;
  return offset;
}

void shared_memory_writer::grow(std::size_t min) {
  if (!file_) {
    file_.reset(memfd_create("quarq-values", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    if (!file_) fail("memfd_create");
    // The reader's mapping must stay valid, whatever this process does.
    if (fcntl(file_.get(), F_ADD_SEALS, F_SEAL_SHRINK) != 0) fail("F_SEAL_SHRINK");
  }
  const std::size_t wanted = std::max(min, mapping_.size() + std::min(mapping_.size(), kept));
  const std::size_t size = (wanted + granule - 1) / granule * granule;
  errno = resize(file_.get(), size);
  if (errno != 0) fail("ftruncate");
  mapping_.extend(file_.get(), size, true);
}

void shared_memory_writer::clear() noexcept {
  if (used_ > kept)
    fallocate(file_.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(kept),
              static_cast<off_t>(mapping_.size() - kept));
  used_ = 0;
}

// ---- shared_memory_reader

void shared_memory_reader::update(base::unique_fd file, std::uint64_t size) {
  if (file) {
    if (file_) throw decode_error("a second file for big values came");
    file_ = std::move(file);
  }
  if (size <= mapping_.size()) return;
  if (!file_) throw decode_error("big values were said to come, but no file for them");
  struct stat status{};
  if (fstat(file_.get(), &status) != 0 || size > static_cast<std::uint64_t>(status.st_size))
    throw decode_error("a file for big values is shorter than the " + std::to_string(size) +
                       " bytes it was said to have");
  mapping_.extend(file_.get(), size, false);
}

std::string_view shared_memory_reader::find(std::uint64_t offset, std::uint64_t size) const noexcept {
  if (offset > mapping_.size() || size > mapping_.size() - offset) return {};
  return {mapping_.data() + offset, size};
}

// ---- attachments

std::uint32_t outgoing::add_file(int descriptor) {
  if (files_.size() >= max_files)
    throw usage_error("more than " + std::to_string(max_files) +
                      " open files can't go along with one call to a process");
  base::unique_fd copy(fcntl(descriptor, F_DUPFD_CLOEXEC, 4));
  if (!copy)
    throw usage_error("descriptor " + std::to_string(descriptor) +
                      " can't go along with a call to a process: " + std::strerror(errno));
  files_.push_back(std::move(copy));
  return static_cast<std::uint32_t>(files_.size() - 1);
}

std::uint64_t incoming::add(std::string_view) {
  throw usage_error("these attachments are for reading");
}

std::uint32_t incoming::add_file(int) {
  throw usage_error("these attachments are for reading");
}

int incoming::take_file(std::uint32_t number) {
  return number < files_.size() ? files_[number].release() : -1;
}

}  // namespace quarq::processes
