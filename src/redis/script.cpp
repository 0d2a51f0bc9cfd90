#include "redis/script.hpp"

#include <openssl/sha.h>

#include "codecs/hex.hpp"

namespace quarq::redis {

script::script(std::string_view lua) : text(lua) {
  unsigned char digest[SHA_DIGEST_LENGTH];
  SHA1(reinterpret_cast<const unsigned char*>(lua.data()), lua.size(), digest);
  codecs::append_hex(sha1, digest);
}

}  // namespace quarq::redis
