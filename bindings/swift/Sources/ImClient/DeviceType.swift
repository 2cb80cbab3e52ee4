import Foundation

/// On phones and tablets the query tells so: servers count a user's connections by class of device, and take what does not
/// say that it is mobile for a desktop.
enum DeviceType {
    /// The query with `deviceType`, unless it has one or this is no mobile device.
    static func added(to query: [String: JSON]?) -> [String: JSON]? {
        guard let system else { return query }
        return added(to: query, system: system, version: ProcessInfo.processInfo.operatingSystemVersion)
    }

    static func added(to query: [String: JSON]?, system: String, version: OperatingSystemVersion) -> [String: JSON] {
        var query = query ?? [:]
        query["deviceType"] = query["deviceType"] ?? .string(userAgent(system: system, version: version))
        return query
    }

    /// Like `ImClient/0.1.0 (Mobile; iOS 17.4.1)`: servers look for the word Mobile.
    static func userAgent(system: String, version: OperatingSystemVersion) -> String {
        let number = [version.majorVersion, version.minorVersion, version.patchVersion].map(String.init).joined(
            separator: ".")
        return "ImClient/\(Library.version) (Mobile; \(system) \(number))"
    }

    private static var system: String? {
        #if os(iOS)
            "iOS"
        #elseif os(watchOS)
            "watchOS"
        #elseif os(visionOS)
            "visionOS"
        #elseif os(Android)
            "Android"
        #else
            nil
        #endif
    }
}
