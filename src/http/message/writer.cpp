#include "http/message/writer.hpp"
