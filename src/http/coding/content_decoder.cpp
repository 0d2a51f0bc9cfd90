#include "http/coding/content_decoder.hpp"

#include <algorithm>
#include <limits>
#include <new>

#include <brotli/decode.h>
#include <fmt/format.h>
#include <zlib.h>

#include <quarq/errors.hpp>

#include "http/coding/list.hpp"
#include "http/message/characters.hpp"

namespace quarq::http {

namespace {

constexpr std::size_t max_codings = 4;
constexpr std::size_t between_layers = std::size_t{16} << 10;

uInt as_zlib_size(std::size_t size) {
  return static_cast<uInt>(std::min<std::size_t>(size, std::numeric_limits<uInt>::max()));
}

}  // namespace

// One coding. What comes from the layer before it is kept in `waiting` until it is used.
class content_decoder::layer {
 public:
  virtual ~layer() = default;
  /// Uses bytes of `in`, removing them, and writes to the beginning of `out`; returns how many. 0: it needs more.
  virtual std::size_t step(std::string_view& in, std::span<char> out) = 0;
  virtual bool is_complete() const = 0;
  virtual const char* name() const = 0;

  std::vector<char> buffer;
  std::string_view waiting;
};

namespace {

// gzip, and deflate with or without zlib's header.
class zlib_layer final : public content_decoder::layer {
 public:
  explicit zlib_layer(coding which) : which_(which) {
    if (which == coding::gzip) begin(15 + 16);
  }
  ~zlib_layer() override {
    if (begun_) ::inflateEnd(&stream_);
  }

  std::size_t step(std::string_view& in, std::span<char> out) override {
    while (!in.empty() || may_have_more_) {
      if (!begun_ && !take_head(in)) return 0;
      if (complete_) begin_next_member(in);
      const auto written = inflate(in, out);
      if (written > 0) return written;
      if (in.empty()) return 0;
    }
    return 0;
  }

  bool is_complete() const override { return complete_; }
  const char* name() const override { return which_ == coding::gzip ? "gzip" : "deflate"; }

 private:
  void begin(int window) {
    if (::inflateInit2(&stream_, window) != Z_OK) throw std::bad_alloc();
    begun_ = true;
  }

  // Two bytes tell whether zlib's header is there (RFC 1950, 2.2). Returns whether they have come.
  bool take_head(std::string_view& in) {
    while (head_.size() < 2 && !in.empty()) {
      head_ += in.front();
      in.remove_prefix(1);
    }
    if (head_.size() < 2) return false;
    const auto first = static_cast<unsigned char>(head_[0]);
    const auto second = static_cast<unsigned char>(head_[1]);
    const bool has_header = (first & 0x0f) == 8 && (first * 256 + second) % 31 == 0;
    begin(has_header ? 15 : -15);
    head_left_ = head_;
    return true;
  }

  // A gzip body may consist of several (RFC 1952, 2.2).
  void begin_next_member(std::string_view in) {
    if (which_ != coding::gzip || in.empty())
      throw decode_error(fmt::format("{}: there are bytes behind its end", name()));
    ::inflateReset(&stream_);
    complete_ = false;
  }

  std::size_t inflate(std::string_view& in, std::span<char> out) {
    auto& source = head_left_.empty() ? in : head_left_;
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(source.data()));
    stream_.avail_in = as_zlib_size(source.size());
    stream_.next_out = reinterpret_cast<Bytef*>(out.data());
    stream_.avail_out = as_zlib_size(out.size());
    const auto offered_in = stream_.avail_in;
    const auto offered_out = stream_.avail_out;
    const int result = ::inflate(&stream_, Z_NO_FLUSH);
    source.remove_prefix(offered_in - stream_.avail_in);
    complete_ = result == Z_STREAM_END;
    may_have_more_ = !complete_ && (stream_.avail_out == 0 || !head_left_.empty());
    if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR)
      throw decode_error(
          fmt::format("{}: {}", name(), stream_.msg != nullptr ? stream_.msg : "it is not well-formed"));
    return offered_out - stream_.avail_out;
  }

  coding which_;
  z_stream stream_{};
  bool begun_ = false;
  bool complete_ = false;
  bool may_have_more_ = false;  // of what it has taken already
  std::string head_;
  std::string_view head_left_;
};

class brotli_layer final : public content_decoder::layer {
 public:
  brotli_layer()
      : state_(::BrotliDecoderCreateInstance(nullptr, nullptr, nullptr), &::BrotliDecoderDestroyInstance) {
    if (!state_) throw std::bad_alloc();
  }

  std::size_t step(std::string_view& in, std::span<char> out) override {
    if (in.empty() && ::BrotliDecoderHasMoreOutput(state_.get()) == BROTLI_FALSE) return 0;
    if (is_complete() && !in.empty()) throw decode_error("br: there are bytes behind its end");
    std::size_t in_left = in.size();
    const auto* next_in = reinterpret_cast<const std::uint8_t*>(in.data());
    std::size_t out_left = out.size();
    auto* next_out = reinterpret_cast<std::uint8_t*>(out.data());
    const auto result =
        ::BrotliDecoderDecompressStream(state_.get(), &in_left, &next_in, &out_left, &next_out, nullptr);
    in.remove_prefix(in.size() - in_left);
    if (result == BROTLI_DECODER_RESULT_ERROR)
      throw decode_error(
          fmt::format("br: {}", ::BrotliDecoderErrorString(::BrotliDecoderGetErrorCode(state_.get()))));
    if (result == BROTLI_DECODER_RESULT_SUCCESS && !in.empty())
      throw decode_error("br: there are bytes behind its end");
    return out.size() - out_left;
  }

  bool is_complete() const override { return ::BrotliDecoderIsFinished(state_.get()) == BROTLI_TRUE; }
  const char* name() const override { return "br"; }

 private:
  std::unique_ptr<BrotliDecoderState, decltype(&::BrotliDecoderDestroyInstance)> state_;
};

std::optional<coding> coding_of(std::string_view name) {
  if (equal_names(name, "gzip") || equal_names(name, "x-gzip")) return coding::gzip;
  if (equal_names(name, "deflate")) return coding::deflate;
  if (equal_names(name, "br")) return coding::brotli;
  return std::nullopt;
}

}  // namespace

std::optional<std::vector<coding>> codings_of(std::string_view content_encoding) {
  std::vector<coding> result;
  for (const auto name : list_elements(content_encoding)) {
    if (equal_names(name, "identity")) continue;
    const auto known = coding_of(name);
    if (!known || result.size() == max_codings) return std::nullopt;
    result.push_back(*known);
  }
  return result;
}

content_decoder::content_decoder(const std::vector<coding>& codings) {
  for (auto which = codings.rbegin(); which != codings.rend(); ++which) {
    if (*which == coding::brotli)
      layers_.push_back(std::make_unique<brotli_layer>());
    else
      layers_.push_back(std::make_unique<zlib_layer>(*which));
  }
}

content_decoder::~content_decoder() = default;

std::size_t content_decoder::read(std::span<char> space) {
  has_begun_ = has_begun_ || !input_.empty();
  return read(layers_.size(), space);
}

// What comes out of the first `which` layers.
std::size_t content_decoder::read(std::size_t which, std::span<char> space) {
  if (which == 0) {
    const auto size = std::min(space.size(), input_.size());
    std::copy_n(input_.begin(), size, space.begin());
    input_.remove_prefix(size);
    return size;
  }
  auto& one = *layers_[which - 1];
  // The first reads what was fed, where it stands.
  if (which == 1) return one.step(input_, space);
  while (true) {
    if (const auto size = one.step(one.waiting, space)) return size;
    one.buffer.resize(between_layers);
    const auto size = read(which - 1, one.buffer);
    if (size == 0) return 0;
    one.waiting = {one.buffer.data(), size};
  }
}

void content_decoder::finish() const {
  if (!has_begun_) return;
  for (const auto& one : layers_)
    if (!one->is_complete()) throw decode_error(fmt::format("{}: the body ends before its end", one->name()));
}

}  // namespace quarq::http
