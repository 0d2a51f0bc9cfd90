// Shared memory for big values: one end of a channel writes it, the other end reads it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include <quarq/detail/attachments.hpp>

#include "base/unique_fd.hpp"

namespace quarq::processes {

/// A mapped file; unmapped by the destructor.
class mapping {
 public:
  mapping() = default;
  ~mapping();
  mapping(const mapping&) = delete;
  mapping& operator=(const mapping&) = delete;

  /// Maps the first `size` bytes of the file. Pages that are mapped already are not faulted in again. Throws
  /// quarq::error.
  void extend(int descriptor, std::size_t size, bool writable);
  char* data() const noexcept { return data_; }
  std::size_t size() const noexcept { return size_; }

 private:
  char* data_ = nullptr;
  std::size_t size_ = 0;
};

/// The writer's side. The values of one call or answer are stored one after another; the next call begins at
/// 0 again, in memory that is there already. The file grows as needed; memory beyond `kept` is given back
/// after use.
class shared_memory_writer {
 public:
  static constexpr std::size_t kept = std::size_t{64} << 20;

  /// Copies the bytes; returns the offset of the copy. Throws quarq::error if there is no memory.
  std::uint64_t add(std::string_view data);
  /// All values have been read: the next one begins at 0.
  void clear() noexcept;

  bool is_used() const noexcept { return used_ > 0; }
  /// The size of the file, of which a part is used.
  std::size_t size() const noexcept { return mapping_.size(); }
  int descriptor() const noexcept { return file_.get(); }

 private:
  void grow(std::size_t min);

  base::unique_fd file_;
  mapping mapping_;
  std::size_t used_ = 0;
};

/// The reader's side.
class shared_memory_reader {
 public:
  /// Takes the size of the other side's segment, which comes with each frame that uses it, and its file if it
  /// is new. Throws quarq::decode_error if they can't be true.
  void update(base::unique_fd file, std::uint64_t size);
  /// Returns a null view if these bytes are not in it.
  std::string_view find(std::uint64_t offset, std::uint64_t size) const noexcept;

 private:
  base::unique_fd file_;
  mapping mapping_;
};

/// The attachments of an outgoing frame, filled by an encoder.
class outgoing final : public detail::attachments {
 public:
  explicit outgoing(shared_memory_writer& segment) : segment_(segment) {}

  std::uint64_t add(std::string_view data) override { return segment_.add(data); }
  std::uint32_t add_file(int descriptor) override;
  std::string_view find(std::uint64_t, std::uint64_t) override { return {}; }
  int take_file(std::uint32_t) override { return -1; }

  const std::vector<base::unique_fd>& files() const noexcept { return files_; }
  void clear_files() noexcept { files_.clear(); }

 private:
  shared_memory_writer& segment_;
  std::vector<base::unique_fd> files_;
};

/// The attachments of an incoming frame, read by a decoder. Files that nobody takes are closed.
class incoming final : public detail::attachments {
 public:
  explicit incoming(const shared_memory_reader& segment, std::vector<base::unique_fd> files = {})
      : segment_(segment), files_(std::move(files)) {}

  std::uint64_t add(std::string_view data) override;
  std::uint32_t add_file(int descriptor) override;
  std::string_view find(std::uint64_t offset, std::uint64_t size) override {
    return segment_.find(offset, size);
  }
  int take_file(std::uint32_t number) override;

 private:
  const shared_memory_reader& segment_;
  std::vector<base::unique_fd> files_;
};

}  // namespace quarq::processes
