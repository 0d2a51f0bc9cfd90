// What a connection has read and not used yet.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

namespace quarq::http {

class input_buffer {
 public:
  std::string_view unread() const noexcept { return {bytes_.get() + begin_, end_ - begin_}; }
  bool empty() const noexcept { return begin_ == end_; }
  /// `size` of the unread bytes are done with. What they were stays where it is until space() is called.
  void use(std::size_t size) noexcept { begin_ += size; }

  /// At least one byte to read into. The buffer has `wanted` bytes then, or more if what is unread needs them.
  std::span<char> space(std::size_t wanted);
  /// `size` bytes were read into space().
  void add(std::size_t size) noexcept { end_ += size; }

  /// Gives back a buffer that is larger than `max`, unless something in it is unread.
  void shrink(std::size_t max) noexcept;
  void clear() noexcept;

 private:
  std::unique_ptr<char[]> bytes_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace quarq::http
