#include "http/server/input_buffer.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace quarq::http {

std::span<char> input_buffer::space(std::size_t wanted) {
  if (empty()) begin_ = end_ = 0;
  if (begin_ > 0 && end_ == capacity_) {
    std::memmove(bytes_.get(), bytes_.get() + begin_, end_ - begin_);
    end_ -= std::exchange(begin_, 0);
  }
  if (capacity_ < wanted || end_ == capacity_) {
    const std::size_t capacity = std::max(wanted, end_ == capacity_ ? capacity_ * 2 : capacity_);
    auto larger = std::make_unique<char[]>(capacity);
    if (bytes_) std::memcpy(larger.get(), bytes_.get(), end_);
    bytes_ = std::move(larger);
    capacity_ = capacity;
  }
  return {bytes_.get() + end_, capacity_ - end_};
}

void input_buffer::shrink(std::size_t max) noexcept {
  if (capacity_ > max && empty()) clear();
}

void input_buffer::clear() noexcept {
  bytes_.reset();
  capacity_ = begin_ = end_ = 0;
}

}  // namespace quarq::http
