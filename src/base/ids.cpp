#include "base/ids.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <system_error>

#include <pthread.h>
#include <sys/random.h>

namespace quarq::base {

namespace {

constexpr std::size_t random_bytes_per_id = 10;

/// How many forks lie between this process and the first one: what a parent drew, its child must not use
/// again.
std::atomic<std::uint64_t> forks{0};

void watch_forks() {
  static std::once_flag once;
  std::call_once(once, [] {
    const int error = pthread_atfork(nullptr, nullptr, [] { ++forks; });
    if (error != 0) throw std::system_error(error, std::generic_category(), "pthread_atfork");
  });
}

/// The kernel's random bytes, so many at once of those drawn together, since each draw is a system call. One
/// for each thread.
template <std::size_t Taken>
class random_source {
 public:
  random_source() { watch_forks(); }

  const std::uint8_t* take() {
    const std::uint64_t now = forks.load(std::memory_order_relaxed);
    if (next_ == block_.size() || drawn_in_ != now) {
      draw();
      drawn_in_ = now;
      next_ = 0;
    }
    const std::uint8_t* taken = block_.data() + next_;
    next_ += Taken;
    return taken;
  }

 private:
  void draw() {
    std::size_t filled = 0;
    while (filled < block_.size()) {
      const ssize_t got = getrandom(block_.data() + filled, block_.size() - filled, 0);
      if (got < 0 && errno != EINTR) throw std::system_error(errno, std::generic_category(), "getrandom");
      if (got > 0) filled += static_cast<std::size_t>(got);
    }
  }

  std::array<std::uint8_t, 250 / Taken * Taken> block_{};
  std::size_t next_ = block_.size();
  std::uint64_t drawn_in_ = 0;
};

constexpr std::string_view alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
constexpr std::size_t id_size = 26;

constexpr auto is_base32 = [] {
  std::array<bool, 256> of{};
  for (const char c : alphabet) of[static_cast<unsigned char>(c)] = true;
  return of;
}();

/// `count` digits of 5 bits, the highest first. Returns where the next ones begin.
char* put_base32(char* out, std::uint64_t bits, int count) {
  while (count-- > 0) *out++ = alphabet[bits >> (5 * count) & 31];
  return out;
}

std::uint64_t forty_bits(const std::uint8_t* bytes) {
  std::uint64_t bits = 0;
  for (int i = 0; i < 5; ++i) bits = bits << 8 | bytes[i];
  return bits;
}

}  // namespace

std::string make_id() {
  static thread_local random_source<random_bytes_per_id> source;
  const std::uint8_t* random = source.take();
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto since_1970 = std::chrono::duration_cast<std::chrono::milliseconds>(now);
  std::array<char, id_size> id;
  char* next = put_base32(id.data(), static_cast<std::uint64_t>(since_1970.count()), 10);
  next = put_base32(next, forty_bits(random), 8);
  put_base32(next, forty_bits(random + 5), 8);
  return std::string(id.data(), id.size());
}

std::uint64_t random_bits() {
  static thread_local random_source<sizeof(std::uint64_t)> source;
  std::uint64_t bits = 0;
  std::memcpy(&bits, source.take(), sizeof bits);
  return bits;
}

bool is_made_id(std::string_view id) noexcept {
  return id.size() == id_size &&
         std::all_of(id.begin(), id.end(), [](char c) { return is_base32[static_cast<unsigned char>(c)]; });
}

}  // namespace quarq::base
