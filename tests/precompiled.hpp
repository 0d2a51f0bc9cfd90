// What nearly every test includes, parsed once (precompiled header).
#pragma once

#include <gtest/gtest.h>

#include "../src/precompiled.hpp"
