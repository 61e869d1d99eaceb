/// Who made sessions, and may want to free them itself.
protocol SessionOrigin: AnyObject {
    /// Takes the reference to a session that its owner held by hand. May be called from any thread.
    ///
    /// - Returns: false when the caller is to end it.
    func takeBack(_ session: Session) -> Bool
}
