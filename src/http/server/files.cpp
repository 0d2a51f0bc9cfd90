#include "http/server/files.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <quarq/http/answers.hpp>
#include <quarq/http/problem.hpp>

#include "http/message/characters.hpp"
#include "http/server/conditions.hpp"
#include "http/server/reply.hpp"

namespace quarq::http {

namespace {

// O_NONBLOCK: a FIFO must not hold up the loop before we see what it is.
constexpr int open_flags = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;

base::unique_fd open_beneath(int folder, const std::string& path) {
  open_how how{};
  how.flags = static_cast<std::uint64_t>(open_flags);
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  return base::unique_fd(static_cast<int>(::syscall(SYS_openat2, folder, path.c_str(), &how, sizeof how)));
}

// Where the kernel or a sandbox has no openat2: segment by segment, without any link.
base::unique_fd walk_beneath(int folder, std::string_view path) {
  base::unique_fd at(::fcntl(folder, F_DUPFD_CLOEXEC, 0));
  while (!path.empty() && at.get() >= 0) {
    const auto slash = path.find('/');
    const std::string segment(path.substr(0, slash));
    path.remove_prefix(slash == path.npos ? path.size() : slash + 1);
    const int kind = path.empty() ? open_flags : O_PATH | O_DIRECTORY | O_CLOEXEC;
    at = base::unique_fd(::openat(at.get(), segment.c_str(), kind | O_NOFOLLOW));
  }
  return at;
}

bool has_hidden_segment(std::string_view path) {
  return path.starts_with('.') || path.find("/.") != path.npos;
}

[[noreturn]] void throw_no_file() {
  throw problem(404, "nothing has this path");
}

std::string etag_of(const struct stat& file) {
  return fmt::format("\"{:x}-{:x}-{:x}\"", file.st_size, file.st_mtim.tv_sec, file.st_mtim.tv_nsec);
}

// Reads the file while it is sent. If it is cut off meanwhile, so is the answer.
awaitable<void> copy_file(body_writer& out, std::shared_ptr<base::unique_fd> file, byte_range range) {
  constexpr std::size_t at_once = std::size_t{64} << 10;
  std::string part;
  while (range.size > 0) {
    part.resize(static_cast<std::size_t>(std::min<std::uint64_t>(at_once, range.size)));
    const auto size = ::pread(file->get(), part.data(), part.size(), static_cast<off_t>(range.first));
    if (size <= 0) throw error("a file was cut off while it was sent");
    part.resize(static_cast<std::size_t>(size));
    range.first += part.size();
    range.size -= part.size();
    co_await out.write(part);
  }
}

}  // namespace

std::string_view type_of_file(std::string_view name) noexcept {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 28> types{{
      {"html", "text/html; charset=utf-8"},
      {"htm", "text/html; charset=utf-8"},
      {"css", "text/css; charset=utf-8"},
      {"js", "text/javascript; charset=utf-8"},
      {"mjs", "text/javascript; charset=utf-8"},
      {"json", "application/json"},
      {"txt", "text/plain; charset=utf-8"},
      {"md", "text/markdown; charset=utf-8"},
      {"csv", "text/csv; charset=utf-8"},
      {"xml", "application/xml"},
      {"svg", "image/svg+xml"},
      {"png", "image/png"},
      {"jpg", "image/jpeg"},
      {"jpeg", "image/jpeg"},
      {"gif", "image/gif"},
      {"webp", "image/webp"},
      {"avif", "image/avif"},
      {"ico", "image/vnd.microsoft.icon"},
      {"woff", "font/woff"},
      {"woff2", "font/woff2"},
      {"ttf", "font/ttf"},
      {"wasm", "application/wasm"},
      {"pdf", "application/pdf"},
      {"zip", "application/zip"},
      {"gz", "application/gzip"},
      {"mp4", "video/mp4"},
      {"webm", "video/webm"},
      {"mp3", "audio/mpeg"},
  }};
  const auto dot = name.rfind('.');
  if (dot != name.npos) {
    for (const auto& [ending, type] : types) {
      if (equal_names(name.substr(dot + 1), ending)) return type;
    }
  }
  return "application/octet-stream";
}

folder_files::folder_files(const std::string& folder, std::string prefix)
    : folder_(::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)), prefix_(std::move(prefix)) {
  if (folder_.get() < 0) throw usage_error(fmt::format("http::server::files: there is no folder {}", folder));
  while (prefix_.ends_with('/')) prefix_.pop_back();
}

base::unique_fd folder_files::open(const std::string& path) const {
  auto file = open_beneath(folder_.get(), path);
  if (file.get() < 0 && (errno == ENOSYS || errno == EPERM)) file = walk_beneath(folder_.get(), path);
  return file;
}

response folder_files::answer(const request& r) const {
  // Decoded and without "." and "..", as all paths that get here.
  std::string path = r.path().substr(std::min(prefix_.size() + 1, r.path().size()));
  if (path.empty() || path.ends_with('/')) path += "index.html";
  if (has_hidden_segment(path)) throw_no_file();
  auto file = open(path);
  if (file.get() < 0) throw_no_file();
  return answer_with_file(r, std::move(file), path);
}

response answer_with_file(const request& r, base::unique_fd file, std::string_view name) {
  struct stat facts{};
  if (::fstat(file.get(), &facts) != 0 || !S_ISREG(facts.st_mode)) throw_no_file();
  const auto etag = etag_of(facts);
  const auto size = static_cast<std::uint64_t>(facts.st_size);
  const auto chosen = select(r.method(), r.headers(), {etag, facts.st_mtim.tv_sec, size});
  response answer(chosen.status);
  if (chosen.status == 412) return answer_of(problem(412));
  if (chosen.status == 416) {
    return answer_of(problem(416, "no such range", {{"Content-Range", fmt::format("bytes */{}", size)}}));
  }
  answer.headers.set("ETag", etag);
  answer.headers.set("Last-Modified", http_date(facts.st_mtim.tv_sec));
  if (chosen.status == 304) return answer;
  answer.headers.set("Content-Type", type_of_file(name));
  answer.headers.set("X-Content-Type-Options", "nosniff");
  answer.headers.set("Accept-Ranges", "bytes");
  answer.headers.set("Content-Length", std::to_string(chosen.range.size));
  if (chosen.status == 206) {
    const auto last = chosen.range.first + chosen.range.size - 1;
    answer.headers.set("Content-Range", fmt::format("bytes {}-{}/{}", chosen.range.first, last, size));
  }
  answer.write_body = [kept = std::make_shared<base::unique_fd>(std::move(file)),
                       range = chosen.range](body_writer& out) { return copy_file(out, kept, range); };
  return answer;
}

response file(const request& from, const std::string& path) {
  base::unique_fd opened(::open(path.c_str(), open_flags));
  if (opened.get() < 0) throw_no_file();
  return answer_with_file(from, std::move(opened), path);
}

}  // namespace quarq::http
