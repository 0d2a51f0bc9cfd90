// Shared memory for big values: one side of a socket writes it, the other reads it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include <quarq/attachments.hpp>

#include "base/unique_fd.hpp"

namespace quarq::processes {

/// A part of the address space that shows a file; unmapped with its object.
class mapping {
 public:
  mapping() = default;
  ~mapping();
  mapping(const mapping&) = delete;
  mapping& operator=(const mapping&) = delete;

  /// Shows the first `size` bytes of the file. What is shown already is not faulted in anew. Throws
  /// quarq::error.
  void show(int descriptor, std::size_t size, bool writable);
  char* data() const noexcept { return data_; }
  std::size_t size() const noexcept { return size_; }

 private:
  char* data_ = nullptr;
  std::size_t size_ = 0;
};

/// The writer's side. Values of one call or answer stand one after the other; the next one begins at 0 again,
/// in memory that is there already. It grows as needed, and gives back what is beyond `kept` when that is not
/// used any more.
class shared_memory_writer {
 public:
  static constexpr std::size_t kept = std::size_t{64} << 20;

  /// Copies; returns where the copy begins. Throws quarq::error if there is no memory.
  std::uint64_t add(std::string_view data);
  /// Everything in it has been read.
  void clear() noexcept;

  bool is_used() const noexcept { return used_ > 0; }
  /// Of the file, not of what is used of it.
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
  /// What the other side says of its segment with each frame that uses it; `file` only if it is a new one.
  /// Throws quarq::decode_error if it can't be true.
  void update(base::unique_fd file, std::uint64_t size);
  /// A null view if these bytes are not in it.
  std::string_view find(std::uint64_t place, std::uint64_t size) const noexcept;

 private:
  base::unique_fd file_;
  mapping mapping_;
};

/// What an encoder puts beside the bytes of one frame.
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

/// What a decoder finds there. Files that nobody takes are closed.
class incoming final : public detail::attachments {
 public:
  explicit incoming(const shared_memory_reader& segment, std::vector<base::unique_fd> files = {})
      : segment_(segment), files_(std::move(files)) {}

  std::uint64_t add(std::string_view data) override;
  std::uint32_t add_file(int descriptor) override;
  std::string_view find(std::uint64_t place, std::uint64_t size) override {
    return segment_.find(place, size);
  }
  int take_file(std::uint32_t number) override;

 private:
  const shared_memory_reader& segment_;
  std::vector<base::unique_fd> files_;
};

}  // namespace quarq::processes
