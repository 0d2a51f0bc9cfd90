#include "http/websocket/deflate.hpp"

#include <algorithm>
#include <limits>
#include <memory>
#include <new>

#include <zlib.h>

namespace quarq::http::ws {

namespace {

constexpr std::size_t output_step = std::size_t{16} << 10;
// What ends each block that was flushed; it isn't sent.
constexpr std::string_view flush_end("\0\0\xff\xff", 4);

class deflater {
 public:
  explicit deflater(int window_bits) : window_bits_(window_bits) {
    if (deflateInit2(&stream_, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -window_bits, 8, Z_DEFAULT_STRATEGY) !=
        Z_OK) {
      throw std::bad_alloc();
    }
  }
  ~deflater() { deflateEnd(&stream_); }
  deflater(const deflater&) = delete;
  deflater& operator=(const deflater&) = delete;
  int window_bits() const noexcept { return window_bits_; }
  z_stream& reset() noexcept {
    deflateReset(&stream_);
    return stream_;
  }

 private:
  z_stream stream_{};
  int window_bits_;
};

class inflater {
 public:
  inflater() {
    if (inflateInit2(&stream_, -15) != Z_OK) throw std::bad_alloc();
  }
  ~inflater() { inflateEnd(&stream_); }
  inflater(const inflater&) = delete;
  inflater& operator=(const inflater&) = delete;
  z_stream& reset() noexcept {
    inflateReset(&stream_);
    return stream_;
  }

 private:
  z_stream stream_{};
};

z_stream& deflating(int window_bits) {
  static thread_local std::unique_ptr<deflater> shared;
  if (!shared || shared->window_bits() != window_bits) shared = std::make_unique<deflater>(window_bits);
  return shared->reset();
}

z_stream& inflating() {
  static thread_local std::unique_ptr<inflater> shared;
  if (!shared) shared = std::make_unique<inflater>();
  return shared->reset();
}

// zlib counts in 32 bits.
void give(z_stream& stream, std::string_view& input) {
  const auto size = std::min<std::size_t>(input.size(), std::numeric_limits<uInt>::max());
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(input.data()));
  stream.avail_in = static_cast<uInt>(size);
  input.remove_prefix(size);
}

// One call of `work`, whose output is appended. Returns what it returned.
template <class F>
int run_step(z_stream& stream, std::string& out, F work) {
  const auto before = out.size();
  out.resize(before + output_step);
  stream.next_out = reinterpret_cast<Bytef*>(out.data() + before);
  stream.avail_out = static_cast<uInt>(output_step);
  const int result = work(stream);
  out.resize(before + output_step - stream.avail_out);
  return result;
}

}  // namespace

void deflate_message(std::string_view message, int window_bits, std::string& out) {
  auto& stream = deflating(window_bits);
  do {
    give(stream, message);
    const int flush = message.empty() ? Z_SYNC_FLUSH : Z_NO_FLUSH;
    do {
      run_step(stream, out, [flush](z_stream& s) { return ::deflate(&s, flush); });
    } while (stream.avail_out == 0);
  } while (!message.empty());
  out.resize(out.size() - flush_end.size());
}

inflate_result inflate_message(std::string_view compressed, std::size_t max, std::string& out) {
  auto& stream = inflating();
  const auto begin = out.size();
  for (auto input : {compressed, flush_end}) {
    while (!input.empty()) {
      give(stream, input);
      do {
        const int result = run_step(stream, out, [](z_stream& s) { return ::inflate(&s, Z_SYNC_FLUSH); });
        if (out.size() - begin > max) return inflate_result::too_large;
        // A last block may be followed by an empty one and by nothing else (RFC 7692, 7.2.3.4).
        if (result == Z_STREAM_END) {
          const std::string_view rest(reinterpret_cast<const char*>(stream.next_in), stream.avail_in);
          const bool is_over = input.empty() && (rest.empty() || rest == std::string_view("\0", 1));
          return is_over ? inflate_result::done : inflate_result::malformed;
        }
        if (result != Z_OK && result != Z_BUF_ERROR) return inflate_result::malformed;
      } while (stream.avail_out == 0 || stream.avail_in > 0);
    }
  }
  constexpr int between_blocks = 128;
  return stream.data_type & between_blocks ? inflate_result::done : inflate_result::malformed;
}

}  // namespace quarq::http::ws
